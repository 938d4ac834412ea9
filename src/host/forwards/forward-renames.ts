import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { ContainerCreationProgress_Status as Create } from "../../contract/tremplin_pb.js";
import type { Notice } from "../store/event-store.ts";
import type { Forwards } from "./forwards.ts";

/** A container of a guest, before and after it gets another name. */
export interface RenamedContainer {
  readonly guest: string;
  readonly from: string;
  readonly to: string;
}

/** Lets what a person decided of a container's ports follow it to its new name (docs/ports.md). */
export class ForwardRenames {
  readonly #forwards: Forwards;
  readonly #log: Logger;
  /** Requests that a guest has not answered yet. */
  readonly #requests = new Map<Promise<unknown>, RenamedContainer>();

  constructor(forwards: Forwards, log: Logger) {
    this.#forwards = forwards;
    this.#log = log;
  }

  /** `request`: asks the guest; resolves with the operation that it began, if any. */
  async request(renamed: RenamedContainer, request: () => Promise<string | undefined>): Promise<void> {
    const requesting = this.#note(renamed, request);
    const ended = requesting.catch(() => undefined);
    this.#requests.set(ended, renamed);
    try {
      await requesting;
    } finally {
      this.#requests.delete(ended);
    }
  }

  /** Before the notice is acknowledged, so that a kill in between loses nothing. Rejects when it cannot be kept. */
  async onNotice(guest: string, notice: Notice, operation: string | undefined): Promise<void> {
    if (notice.case !== "create" || notice.value.status === Create.DOWNLOADING || !operation) return;
    // It may arrive before the answer to the request.
    const { containerName } = notice.value;
    const isAbout = (each: RenamedContainer) => each.guest === guest && each.to === containerName;
    const asked = [...this.#requests].filter(([, renamed]) => isAbout(renamed));
    await Promise.all(asked.map(([ended]) => ended));
    const isRenamed = notice.value.status === Create.CREATED;
    if (!(await this.#forwards.settings.endRename(guest, operation, isRenamed))) return;
    await this.#forwards.applySettings();
  }

  async #note({ guest, from, to }: RenamedContainer, request: () => Promise<string | undefined>) {
    const operation = await request();
    if (!operation) return;
    await this.#forwards.settings.beginRename({ guest, from, to, operation }).catch((error) => {
      const reason = errorMessage(error);
      this.#log.error(
        { guest, from, to, reason },
        "the switches of ports will not follow a renamed container",
      );
    });
  }
}

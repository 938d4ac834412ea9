import { Code, ConnectError } from "@connectrpc/connect";
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

/** Errors that leave open whether the guest has accepted the rename. */
const UNCERTAIN = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Unknown]);

/** Lets what a person decided of a container's ports follow it to its new name (docs/ports.md). */
export class ForwardRenames {
  readonly #forwards: Forwards;
  readonly #log: Logger;
  readonly #namesOf: (guest: string) => Promise<ReadonlySet<string>>;
  /** Requests that a guest has not answered yet. */
  readonly #requests = new Map<Promise<unknown>, RenamedContainer>();

  /** `namesOf`: the containers of a guest now. */
  constructor(forwards: Forwards, log: Logger, namesOf: (guest: string) => Promise<ReadonlySet<string>>) {
    this.#forwards = forwards;
    this.#log = log;
    this.#namesOf = namesOf;
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
    const { settings } = this.#forwards;
    const rename = settings.renameBy(guest, operation, containerName);
    if (!rename) return;
    const isRenamed = notice.value.status === Create.CREATED;
    await settings.endRename(
      rename,
      isRenamed && !(rename.operation === "" && (await this.#isThere(rename))),
    );
    await this.#forwards.applySettings();
  }

  /** On disk before the guest is asked: a host that is killed before the answer finds it again. */
  async #note(renamed: RenamedContainer, request: () => Promise<string | undefined>) {
    const { settings } = this.#forwards;
    await settings.beginRename(renamed).catch((error) => {
      const reason = errorMessage(error);
      this.#log.error({ ...renamed, reason }, "the switches of ports will not follow a renamed container");
    });
    let operation: string | undefined;
    let isUncertain = false;
    try {
      operation = await request();
    } catch (error) {
      isUncertain = UNCERTAIN.has(ConnectError.from(error).code);
      throw error;
    } finally {
      // Without its id, the notice of the container with the new name decides.
      if (!isUncertain) await settings.nameRename(renamed, operation).catch(() => undefined);
    }
  }

  /** Whether the container still has its old name, so that the one with the new name is another. */
  async #isThere({ guest, from }: RenamedContainer): Promise<boolean> {
    return await this.#namesOf(guest).then(
      (names) => names.has(from),
      () => false,
    );
  }
}

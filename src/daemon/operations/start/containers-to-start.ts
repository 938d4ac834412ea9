import { create } from "@bufbuild/protobuf";
import type { Logger } from "../../../base/logger.ts";
import { isTemporaryName } from "../../../base/temporary-name.ts";
import { errorMessage } from "../../../base/tremplin-error.ts";
import { StartContainerRequestSchema } from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import { isToRunAgain, startOrder } from "../../containers/autostart.ts";
import { findContainer } from "../../containers/find-container.ts";
import type { Autostart } from "../../sites/autostart.ts";
import type { OperationKinds } from "../kinds.ts";
import type { Runner } from "../runner/runner.ts";

interface Options {
  readonly runner: Pick<Runner, "begin" | "outcome">;
  readonly kinds: Pick<OperationKinds, "start">;
  /** What holds for containers that say nothing themselves; asked at each launch. */
  readonly ofSite: () => Autostart;
  readonly shutdownSignal: AbortSignal;
  readonly log: Logger;
}

/** Starts the containers again that ran when their engine ended, one after another (docs/daily.md#autostart). */
export class ContainersToStart {
  readonly #options: Options;
  #waiting: readonly string[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  /** Those that were not started yet. */
  get waiting(): readonly string[] {
    return this.#waiting;
  }

  /** Begins with what an engine has that was just launched. Resolves when it is known which these are. */
  async begin(engine: Engine): Promise<void> {
    const { ofSite, shutdownSignal: signal, log } = this.#options;
    const all = await engine.instances.list({ signal });
    const site = ofSite();
    const found = all.filter((each) => !isTemporaryName(each.name) && isToRunAgain(each, site));
    const waiting = startOrder(found).map(({ name }) => name);
    this.#waiting = waiting;
    if (waiting.length === 0) return;
    log.info({ containers: waiting }, "starting the containers again that ran before");
    void this.#startAll(engine, waiting);
  }

  /** Never rejects. Ends when another engine was launched meanwhile. */
  async #startAll(engine: Engine, names: readonly string[]): Promise<void> {
    let left = names;
    for (const name of names) {
      if (this.#waiting !== left) return;
      await this.#start(engine, name).catch((error) => {
        this.#options.log.warn({ container: name, reason: errorMessage(error) }, "it is not started again");
      });
      if (this.#waiting !== left) return;
      left = left.filter((each) => each !== name);
      this.#waiting = left;
    }
  }

  async #start(engine: Engine, name: string): Promise<void> {
    const { runner, kinds, ofSite, shutdownSignal: signal } = this.#options;
    signal.throwIfAborted();
    // A person may have started, changed or deleted it meanwhile.
    const found = await findContainer(engine, name, signal);
    if (!found || !isToRunAgain(found, ofSite())) return;
    const request = create(StartContainerRequestSchema, { containerName: name });
    await runner.begin(kinds.start, name, request);
    await runner.outcome("start", name);
  }
}

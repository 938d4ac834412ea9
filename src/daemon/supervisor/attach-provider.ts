import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Engine } from "../../engine/engine.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import type { EngineProvider } from "./engine-provider.ts";
import type { LaunchProgress, PreparedEngine, ResetRequest } from "./engine-state.ts";
import { type PrepareOptions, prepareEngine } from "./prepare/prepare-engine.ts";

type Options = Pick<PrepareOptions, "bridge" | "subnet" | "site" | "places" | "log"> & {
  readonly clock: Clock;
};

/** Attaches to an external engine, which is never stopped. */
export class AttachProvider implements EngineProvider {
  readonly isManaged = false;
  readonly gaveUpError = undefined;
  readonly #address: EngineAddress;
  readonly #options: Options;
  readonly #detaching = new AbortController();
  readonly #shuttingDown = new AbortController();

  constructor(address: EngineAddress, options: Options) {
    this.#address = address;
    this.#options = options;
  }

  get launchSignal(): AbortSignal {
    return AbortSignal.any([this.#detaching.signal, this.#shuttingDown.signal]);
  }

  get lostSignal(): AbortSignal {
    return this.#detaching.signal;
  }

  listen(): void {}

  async isRunning(): Promise<boolean> {
    return false;
  }

  async provide(
    _reset: ResetRequest | undefined,
    report: (progress: LaunchProgress) => void,
  ): Promise<PreparedEngine> {
    const { clock, log } = this.#options;
    const engine = await Engine.connect(this.#address, { clock, log, signal: this.#detaching.signal });
    try {
      report({ status: "starting", step: "preparing" });
      const signal = this.launchSignal;
      await prepareEngine(engine, {
        ...this.#options,
        engineFolder: undefined,
        recovering: false,
        signal,
      });
      return { engine, remark: "" };
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  async shutDown(): Promise<void> {
    this.#shuttingDown.abort(new TremplinError("cancelled", "the daemon ends"));
  }

  detach(): void {
    this.#detaching.abort(new TremplinError("cancelled", "the daemon ends"));
  }
}

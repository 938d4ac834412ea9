import type { Clock } from "../async/clock.ts";
import type { Logger } from "../logger.ts";
import { loadNative } from "../native/load-native.ts";

/** Throws when the program does not do its work any more. */
export type SelfCheck = (signal: AbortSignal) => Promise<void>;

interface Ambient {
  readonly clock: Clock;
  readonly log: Logger;
}

/** So that one ping that comes late, or a check that takes long, does not end the program. */
const PINGS_PER_LIMIT = 4;

/**
 * The service manager that started this program, as systemd does (sd_notify(3)): it learns when the program serves, when
 * it ends, and, if it asks for that, at intervals that the program still works. Without one nothing is done.
 */
export class ServiceManager {
  readonly #send: ((text: string) => void) | undefined;
  /** Milliseconds without a ping after which the program is killed. */
  readonly #limit: number | undefined;

  private constructor(send: ((text: string) => void) | undefined, limit: number | undefined) {
    this.#send = send;
    this.#limit = limit;
  }

  /** Takes its address out of the environment, where programs that this one starts would find it. */
  static async take(log: Logger, environment: NodeJS.ProcessEnv = process.env): Promise<ServiceManager> {
    const { NOTIFY_SOCKET: address, WATCHDOG_USEC: limit, WATCHDOG_PID: pid } = environment;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
    if (!address) return new ServiceManager(undefined, undefined);
    const isWatched = (pid === undefined || Number(pid) === process.pid) && Number(limit) > 0;
    return new ServiceManager(await senderTo(address, log), isWatched ? Number(limit) / 1000 : undefined);
  }

  /**
   * Reports that the program serves, and from then on that it works: whenever the check succeeds, which shows that the
   * event loop turns too. Disposing reports that it ends.
   */
  serving(check: SelfCheck, ambient: Ambient): Disposable {
    const ended = new AbortController();
    this.#send?.("READY=1");
    if (this.#send && this.#limit)
      void this.#ping(this.#limit / PINGS_PER_LIMIT, check, ambient, ended.signal);
    return {
      [Symbol.dispose]: () => {
        ended.abort();
        this.#send?.("STOPPING=1");
      },
    };
  }

  /** Never rejects. */
  async #ping(
    interval: number,
    check: SelfCheck,
    { clock, log }: Ambient,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await check(AbortSignal.any([signal, AbortSignal.timeout(interval)]));
        this.#send?.("WATCHDOG=1");
      } catch (error) {
        if (!signal.aborted)
          log.error({ error }, "the program does not answer itself; it is killed unless that ends");
      }
      await clock.sleep(interval, signal).catch(() => undefined);
    }
  }
}

/** A failure is logged once: the program works without. */
async function senderTo(address: string, log: Logger): Promise<((text: string) => void) | undefined> {
  try {
    const { sendDatagram } = await loadNative(() => import("../native/send-datagram.ts"));
    let failed = 0;
    return (text) => {
      const errno = sendDatagram(address, text);
      if (errno !== 0 && errno !== failed)
        log.warn({ address, errno }, "the service manager could not be notified");
      failed = errno;
    };
  } catch (error) {
    log.warn({ address, error }, "the service manager cannot be notified");
    return undefined;
  }
}

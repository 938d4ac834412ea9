import type { CallOptions } from "@connectrpc/connect";
import type { ContainerUsage } from "../../contract/tremplin/v1/guest_pb.js";
import type {
  ContainerInfo,
  Event,
  Forward,
  GuestContainers,
  OperationInfo,
} from "../../contract/tremplin/v1/host_pb.js";
import { legalActions } from "../model/legal-actions.ts";
import { OperationPaces } from "../model/operation-paces.ts";
import { UpgradeLogs } from "../model/upgrade-logs.ts";
import { UsageHistory } from "../model/usage-history.ts";
import { host, isSignedOut, knownNames, sentenceOf } from "./host.ts";

/** Whether what is shown is how things are now. */
export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "signed-out" };

/** All that the pages show. It is replaced as a whole. */
export interface Shown {
  readonly connection: Connection;
  /** Undefined before the first answer. */
  readonly guests: readonly GuestContainers[] | undefined;
  /** The newest first. */
  readonly operations: readonly OperationInfo[];
  readonly forwards: readonly Forward[];
  /** When that was read, by the clock of this page. */
  readonly readAt: number;
}

const POLL_MS = 2_000;
/** Events come in bursts; each needs no answer of its own. */
const AFTER_EVENT_MS = 150;
const REFRESH_TIMEOUT_MS = 10_000;
/** A page that has not run for so long was asleep. */
const ASLEEP_MS = 8_000;
const RETRY_MS = [250, 500, 1_000, 2_000, 3_000];

/**
 * Follows the host: a watch says when something happens, from the last event on that was seen, and the state is then
 * read as a whole. While the page is hidden it asks for nothing.
 */
export class Live {
  readonly usage = new UsageHistory();
  readonly upgradeLogs = new UpgradeLogs();
  readonly paces = new OperationPaces();
  #shown: Shown = {
    connection: { kind: "connecting" },
    guests: undefined,
    operations: [],
    forwards: [],
    readAt: 0,
  };
  readonly #listeners = new Set<() => void>();
  /** The sequence number of the newest event that was seen. */
  #cursor: bigint | undefined;
  /** Only events change them. */
  #operationsAreOld = true;
  #attempt = new AbortController();
  #wake = () => {};

  get shown(): Shown {
    return this.#shown;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads everything again soon, after something was asked for. */
  refreshSoon(): void {
    this.#wake();
  }

  /** Follows the host for as long as the page is open. */
  async run(): Promise<void> {
    document.addEventListener("visibilitychange", () => this.#reconnect("connecting"));
    window.addEventListener("online", () => this.#reconnect("connecting"));
    this.#noticeSleep();
    for (let failures = 0; this.#shown.connection.kind !== "signed-out"; ) {
      if (document.hidden) await once(document, "visibilitychange");
      this.#attempt = new AbortController();
      this.#operationsAreOld = true;
      const { signal } = this.#attempt;
      try {
        await this.#follow(signal, () => {
          failures = 0;
        });
      } catch (thrown) {
        if (isSignedOut(thrown)) this.#show({ connection: { kind: "signed-out" } });
        else if (!signal.aborted) this.#show({ connection: { kind: "lost", reason: sentenceOf(thrown) } });
        if (!signal.aborted)
          await sleep(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] as number, signal);
      }
    }
  }

  /** One connection. Throws when it breaks. */
  async #follow(signal: AbortSignal, onLive: () => void): Promise<void> {
    const both = new AbortController();
    const stop = AbortSignal.any([signal, both.signal]);
    try {
      await Promise.race([this.#watch(stop), this.#poll(stop, onLive)]);
      throw new TypeError("the stream ended");
    } finally {
      both.abort();
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const after = this.#cursor;
    for await (const event of host.watch(after === undefined ? {} : { after }, { signal })) {
      if (event.notice.case === "begun") {
        // A host with a new event log counts from one again.
        if (after === undefined || event.notice.value.newest < after)
          this.#cursor = event.notice.value.newest;
        continue;
      }
      this.#cursor = event.sequence;
      this.#operationsAreOld = true;
      this.#noteUpgrade(event);
      this.paces.note(event);
      this.#wake();
    }
  }

  async #poll(signal: AbortSignal, onLive: () => void): Promise<void> {
    for (;;) {
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await this.#refresh(signal);
      onLive();
      await Promise.race([sleep(POLL_MS, signal), woken.then(() => sleep(AFTER_EVENT_MS, signal))]);
      signal.throwIfAborted();
    }
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    const options = { signal, timeoutMs: REFRESH_TIMEOUT_MS };
    const withOperations = this.#operationsAreOld;
    this.#operationsAreOld = false;
    const [{ guests }, { forwards }, operations] = await Promise.all([
      host.listContainers({ withoutActions: true }, options),
      host.listForwards({}, options),
      withOperations ? readOperations(options) : this.#shown.operations,
    ]);
    signal.throwIfAborted();
    this.usage.add(usageOf(guests));
    this.paces.measure(operations, performance.now());
    for (const name of namesOf(guests)) knownNames.add(name);
    const connection = { kind: "live" } as const;
    this.#show({ connection, guests, operations, forwards, readAt: Date.now() });
  }

  /** Reads what the host's log has of the upgrades of a container, from before this page was opened. */
  async readUpgradeLog(guest: string, containerName: string, signal: AbortSignal): Promise<void> {
    const request = { guest, containerName, after: 0n, onlyLog: true };
    for await (const event of host.watch(request, { signal })) this.#noteUpgrade(event);
    this.#show({});
  }

  #noteUpgrade({ guest, sequence, operation, notice }: Event): void {
    if (notice.case !== "upgrade") return;
    const { containerName, progressMessages: lines } = notice.value;
    this.upgradeLogs.add(containerKey(guest, containerName), { sequence, operation, lines });
  }

  /** After the machine slept, what is shown may be hours old. */
  #noticeSleep(): void {
    let last = Date.now();
    setInterval(() => {
      const passed = Date.now() - last;
      last += passed;
      if (Math.abs(passed) > ASLEEP_MS) this.#reconnect("connecting");
    }, 1_000);
  }

  #reconnect(kind: "connecting"): void {
    if (this.#shown.connection.kind === "signed-out") return;
    this.#show({ connection: { kind } });
    this.#attempt.abort();
  }

  #show(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The newest first. */
async function readOperations(options: CallOptions): Promise<OperationInfo[]> {
  return (await host.listOperations({ limit: 200 }, options)).operations.toReversed();
}

/** Identifies a container among those of all guests. */
export function containerKey(guest: string, container: string): string {
  return `${guest}/${container}`;
}

/** One container, with what can be done with it now. */
export function findContainer(shown: Shown, guest: string, name: string): ContainerInfo | undefined {
  const all = shown.guests?.find((each) => each.guest?.name === guest);
  const info = all?.containers.find(({ container }) => container?.name === name);
  return all && info && { ...info, actions: legalActions(info, all) };
}

function namesOf(guests: readonly GuestContainers[]): string[] {
  return guests.flatMap(({ guest, containers }) => [
    ...(guest ? [guest.name] : []),
    ...containers.flatMap(({ container }) => (container ? [container.name] : [])),
  ]);
}

function usageOf(guests: readonly GuestContainers[]): Map<string, ContainerUsage> {
  const found = new Map<string, ContainerUsage>();
  for (const { guest, containers } of guests) {
    for (const { container, stale } of containers) {
      if (container?.usage && !stale)
        found.set(containerKey(guest?.name ?? "", container.name), container.usage);
    }
  }
  return found;
}

/** Also resolves when the signal aborts. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}

function once(target: EventTarget, name: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  target.addEventListener(name, () => resolve(), { once: true });
  return promise;
}

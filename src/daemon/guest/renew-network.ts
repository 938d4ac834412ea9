import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { NetworkState } from "../../engine/resources/network-state.ts";

export interface RenewOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often IPv6 is switched on again before we give up. */
const MAX_ATTEMPTS = 5;
/** For switching it on once, whoever has lost patience meanwhile. Milliseconds. */
const ENABLE_TIMEOUT_MS = 3_000;
/** What engines answer for a program that the container does not have. */
const NO_SUCH_PROGRAM = 127;

/**
 * Makes a running container ask for its addresses anew and forget what it knew of names, after the network of
 * the machine changed (behaviour.md 5.16). Tools that it does not have are skipped; what fails is logged.
 */
export async function renewNetwork(engine: Engine, container: string, options: RenewOptions): Promise<void> {
  const { network } = await engine.instances.state(container, options);
  const links = Object.entries(network ?? {}).filter(([, { type }]) => type !== "loopback");
  const run = (...command: string[]) => runIfAvailable(engine, container, command, options);
  const renewLink = async ([name, link]: [string, NetworkState]) => {
    if (!hasGlobalIpv6(link)) return run("networkctl", "renew", name);
    await renewIpv6(engine, container, name, options);
    // Who keeps the link must ask for what is gone now; else it waits for the next that a router says by itself.
    await run("networkctl", "reconfigure", name);
  };
  const outcomes = await Promise.allSettled([
    ...links.map(renewLink),
    // A dhclient is left alone: it knows no signal to renew, and what the bridge told it has not changed.
    run("killall", "-USR1", "udhcpc"),
    run("resolvectl", "flush-caches"),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    options.log.warn({ error: outcome.reason, container }, "its network is not wholly renewed");
  }
}

/** Whether one of its IPv6 addresses is global unicast, in the sense that unique local ones are too. */
export function hasGlobalIpv6({ addresses }: NetworkState): boolean {
  const ipv6 = (addresses ?? []).filter(({ family }) => family === "inet6");
  return ipv6.some(({ address }) => !/^(::1?$|fe[89ab]|ff)/i.test(address));
}

/**
 * Switches IPv6 of an interface off and on, by one program, so that nothing can happen in between that would
 * leave it off; and should that program not end well, on again until it is (behaviour.md 12 item 47).
 */
async function renewIpv6(
  engine: Engine,
  container: string,
  link: string,
  options: RenewOptions,
): Promise<void> {
  // With slashes, since there may be dots in the name of an interface.
  const key = `net/ipv6/conf/${link}/disable_ipv6`;
  const sysctl = (settings: string[], signal: AbortSignal) =>
    engine.execCapture(container, ["sysctl", "-w", ...settings], { signal, maxBytes: 1024 });
  const first = await sysctl([`${key}=1`, `${key}=0`], options.signal).catch(() => undefined);
  if (first?.exitCode === 0 || first?.exitCode === NO_SUCH_PROGRAM) return;
  for (let tries = 1; tries <= MAX_ATTEMPTS; tries++) {
    const again = await sysctl([`${key}=0`], AbortSignal.timeout(ENABLE_TIMEOUT_MS)).catch(() => undefined);
    if (again?.exitCode === 0) return;
    await options.clock.sleep(tries * 100);
  }
  throw new TremplinError(
    "failed",
    `IPv6 of ${link} in ${container} could not be renewed, and may be off: ${first?.stderr.trim() ?? ""}`,
  );
}

async function runIfAvailable(
  engine: Engine,
  container: string,
  command: readonly string[],
  { signal, log }: RenewOptions,
): Promise<void> {
  const { exitCode, stderr } = await engine.execCapture(container, command, { signal, maxBytes: 1024 });
  if (exitCode === 0 || exitCode === NO_SUCH_PROGRAM) return;
  log.debug({ container, command: command.join(" "), exitCode, stderr: stderr.trim() }, "did not work");
}

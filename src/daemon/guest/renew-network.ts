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

/** Attempts to switch IPv6 on again. */
const MAX_ATTEMPTS = 5;
/** For one attempt. Not bounded by the caller's signal: IPv6 must not stay off. */
const ENABLE_TIMEOUT_MS = 3_000;
/** The exit code of a program that the container does not have. */
const NO_SUCH_PROGRAM = 127;

/**
 * Makes a running container renew its addresses and flush its DNS caches after the network of the machine changed
 * (docs/contract.md#hostnetworkchanged). Skips tools that it does not have; logs failures.
 */
export async function renewNetwork(engine: Engine, container: string, options: RenewOptions): Promise<void> {
  const { network } = await engine.instances.state(container, options);
  const links = Object.entries(network ?? {}).filter(([, { type }]) => type !== "loopback");
  const run = (...command: string[]) => runIfAvailable(engine, container, command, options);
  const renewLink = async ([name, link]: [string, NetworkState]) => {
    if (!hasGlobalIpv6(link)) return run("networkctl", "renew", name);
    await renewIpv6(engine, container, name, options);
    // networkd must ask for the addresses that are gone now; otherwise it waits for the next router advertisement.
    await run("networkctl", "reconfigure", name);
  };
  const outcomes = await Promise.allSettled([
    ...links.map(renewLink),
    // Not dhclient: it has no signal for a renewal, and the bridge's configuration has not changed.
    run("killall", "-USR1", "udhcpc"),
    run("resolvectl", "flush-caches"),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    options.log.warn(
      { error: outcome.reason, container },
      "cannot renew all of the container's network configuration",
    );
  }
}

/** Whether a link has a global unicast IPv6 address; unique local ones count. */
export function hasGlobalIpv6({ addresses }: NetworkState): boolean {
  const ipv6 = (addresses ?? []).filter(({ family }) => family === "inet6");
  return ipv6.some(({ address }) => !/^(::1?$|fe[89ab]|ff)/i.test(address));
}

/**
 * Switches IPv6 of an interface off and on with one command, so that nothing in between can leave it off. If that
 * command fails, retries switching it on (docs/contract.md#hostnetworkchanged).
 */
async function renewIpv6(
  engine: Engine,
  container: string,
  link: string,
  options: RenewOptions,
): Promise<void> {
  // With slashes, because the name of an interface may contain dots.
  const key = `net/ipv6/conf/${link}/disable_ipv6`;
  const sysctl = (settings: string[], signal: AbortSignal) =>
    engine.execCapture(container, ["sysctl", "-w", ...settings], { signal, maxBytes: 1024 });
  const first = await sysctl([`${key}=1`, `${key}=0`], options.signal).catch(() => undefined);
  if (first?.exitCode === 0 || first?.exitCode === NO_SUCH_PROGRAM) return;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const retry = await sysctl([`${key}=0`], AbortSignal.timeout(ENABLE_TIMEOUT_MS)).catch(() => undefined);
    if (retry?.exitCode === 0) return;
    await options.clock.sleep(attempt * 100);
  }
  throw new TremplinError(
    "failed",
    `cannot renew IPv6 of ${link} in ${container}, which may be off now: ${first?.stderr.trim() ?? ""}`,
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
  log.debug(
    { container, command: command.join(" "), exitCode, stderr: stderr.trim() },
    "a command to renew the network failed",
  );
}

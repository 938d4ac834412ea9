import { canAccess } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import { runProgram } from "../../../base/processes/run-program.ts";
import type { Engine } from "../../../engine/engine.ts";
import { subnetIn } from "./subnet.ts";

/** Where systemd-resolved has its state while it runs. */
const RESOLVED = "/run/systemd/resolve";
const TIMEOUT_MS = 5_000;

type Run = (program: string, args: readonly string[]) => Promise<unknown>;

interface Options {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly run?: Run;
  readonly resolved?: string;
}

/**
 * Lets this machine resolve the names of containers, where it uses systemd-resolved: it asks the server of the bridge
 * for names of the bridge's own domain, and for no others. That is a setting of the bridge alone, which goes with it
 * (docs/names.md). Never rejects: containers work without it.
 */
export async function routeNames(engine: Engine, bridge: string, options: Options): Promise<void> {
  const { log, signal, run = runWithLimit, resolved = RESOLVED } = options;
  if (!(await canAccess(resolved))) return;
  try {
    const { config } = (await engine.networks.get(bridge, { signal })).value;
    const address = subnetIn(config["ipv4.address"] ?? "")?.address;
    const domain = config["dns.domain"];
    if (!address || !domain) return;
    for (const args of settings(bridge, address, domain)) await run("resolvectl", args);
  } catch (error) {
    log.warn({ error, bridge }, "systemd-resolved does not ask the bridge for the names of containers");
  }
}

/** The names are nobody's in public, so nobody has signed them, and the server knows no TLS. */
function settings(bridge: string, address: string, domain: string): string[][] {
  return [
    ["dns", bridge, address],
    ["dnssec", bridge, "no"],
    ["dnsovertls", bridge, "no"],
    ["domain", bridge, `~${domain}`],
  ];
}

function runWithLimit(program: string, args: readonly string[]): Promise<string> {
  return runProgram(program, args, { timeoutMs: TIMEOUT_MS });
}

import { connect } from "node:net";
import { join } from "node:path";
import { flavors } from "../../engine/flavors/flavors.ts";

/** What happened to the engine of a daemon that ended, by the daemon's arguments and the engine's socket. */
export async function describeRemainingEngine(args: readonly string[]): Promise<string> {
  const engine = optionOf("--engine", args);
  if (engine?.includes(":")) return `its engine (${engine}) is external and keeps running`;
  const state = optionOf("--state", args) ?? "";
  for (const { kind, layout } of flavors) {
    const socket = join(state, kind, layout.socket);
    if (await listens(socket)) return `but its engine still answers at ${socket}; the daemon's log says why`;
  }
  return "with the containers and the engine";
}

function optionOf(flag: string, args: readonly string[]): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

async function listens(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect({ path });
  probe.once("connect", () => resolve(true));
  probe.once("error", () => resolve(false));
  return await promise.finally(() => probe.destroy());
}

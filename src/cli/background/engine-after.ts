import { connect } from "node:net";
import { join } from "node:path";
import { flavors } from "../../engine/flavors/flavors.ts";

/** What a daemon's end meant for its engine, told from the daemon's command line and from the engine's socket. */
export async function engineAfter(words: readonly string[]): Promise<string> {
  const engine = optionOf("--engine", words);
  if (engine?.includes(":")) return `its engine (${engine}) was not launched by it and goes on`;
  const state = optionOf("--state", words) ?? "";
  for (const { kind, layout } of flavors) {
    const socket = join(state, kind, layout.socket);
    if (await listens(socket)) return `but its engine still answers at ${socket}; the daemon's log says why`;
  }
  return "and with it the containers and the engine";
}

function optionOf(flag: string, words: readonly string[]): string | undefined {
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

async function listens(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect({ path });
  probe.once("connect", () => resolve(true));
  probe.once("error", () => resolve(false));
  return await promise.finally(() => probe.destroy());
}

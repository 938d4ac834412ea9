import { join } from "node:path";
import type { TestDaemon } from "./daemon.ts";
import { execute } from "./system-state.ts";

/**
 * Runs a program in a running container by the engine's own command line, independent of the project's client,
 * and gives what it printed. Throws with its errors unless it ends with 0.
 */
export async function inContainer(
  daemon: TestDaemon,
  container: string,
  ...command: string[]
): Promise<string> {
  return (await engineCommand(daemon, "exec", container, "--disable-stdin", "--", ...command)).trim();
}

/** What the engine answers to a GET of a path, by its own command line. */
export async function engineQuery(daemon: TestDaemon, path: string): Promise<unknown> {
  return JSON.parse(await engineCommand(daemon, "query", path));
}

/** Runs the engine's own command line and gives what it printed. */
export async function engineCommand(daemon: TestDaemon, ...words: string[]): Promise<string> {
  const { engine } = await daemon.guest.getStatus({});
  const [program, variable] = engine?.kind === "incus" ? ["incus", "INCUS"] : ["lxc", "LXD"];
  const folder = join(daemon.folder, "state", engine?.kind === "incus" ? "incus" : "lxd");
  const env = { ...process.env, [`${variable}_DIR`]: folder, [`${variable}_CONF`]: daemon.folder };
  const running = execute(program as string, words, { env });
  // Some of its commands read more configuration from a standard input that is no terminal.
  running.child.stdin?.end();
  return (await running).stdout;
}

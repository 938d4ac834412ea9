import { join } from "node:path";
import { execute } from "./belongings.ts";
import type { TestDaemon } from "./daemon.ts";

/**
 * Runs a program in a running container by the engine's own command line, independent of the project's client,
 * and gives what it printed. Throws with its errors unless it ends with 0.
 */
export async function inContainer(
  daemon: TestDaemon,
  container: string,
  ...command: string[]
): Promise<string> {
  const { engine } = await daemon.guest.getStatus({});
  const isIncus = engine?.kind === "incus";
  const folder = join(daemon.folder, "state", isIncus ? "incus" : "lxd");
  const variables = {
    [isIncus ? "INCUS_DIR" : "LXD_DIR"]: folder,
    [isIncus ? "INCUS_CONF" : "LXD_CONF"]: daemon.folder,
  };
  const env = { ...process.env, ...variables };
  const words = ["exec", container, "--disable-stdin", "--", ...command];
  const { stdout } = await execute(isIncus ? "incus" : "lxc", words, { env });
  return stdout.trim();
}

/** What the engine answers to a GET of a path, by its own command line. */
export async function engineQuery(daemon: TestDaemon, path: string): Promise<unknown> {
  const { engine } = await daemon.guest.getStatus({});
  const isIncus = engine?.kind === "incus";
  const folder = join(daemon.folder, "state", isIncus ? "incus" : "lxd");
  const variables = {
    [isIncus ? "INCUS_DIR" : "LXD_DIR"]: folder,
    [isIncus ? "INCUS_CONF" : "LXD_CONF"]: daemon.folder,
  };
  const { stdout } = await execute(isIncus ? "incus" : "lxc", ["query", path], {
    env: { ...process.env, ...variables },
  });
  return JSON.parse(stdout);
}

import { join } from "node:path";
import type { TestDaemon } from "./daemon.ts";
import { execute } from "./system-state.ts";

/** The engine's own command line as a person uses it, also while no daemon runs. Gives what it printed. */
export function engineCommandLine({
  folder,
}: Pick<TestDaemon, "folder">): (...words: string[]) => Promise<string> {
  const isIncus = process.env.TREMPLIN_TEST_ENGINE === "incus";
  const [program, variable] = isIncus ? ["incus", "INCUS"] : ["lxc", "LXD"];
  const engineFolder = join(folder, "state", isIncus ? "incus" : "lxd");
  const env = { ...process.env, [`${variable}_DIR`]: engineFolder, [`${variable}_CONF`]: folder };
  return async (...words) => {
    const running = execute(program as string, words, { env });
    running.child.stdin?.end();
    return (await running).stdout;
  };
}

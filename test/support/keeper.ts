import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { DaemonResources } from "./clean-up.ts";
import { repository } from "./repository.ts";
import { testFolder } from "./test-run.ts";

/** A folder that is removed when this is disposed, and when this process is killed. */
export interface KeptFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes an empty folder of this run. */
export async function keptFolder(): Promise<KeptFolder> {
  const path = await testFolder();
  const kept = keep({ folder: path });
  return { path, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() };
}

/**
 * Sees to it that what belongs to a test is taken down: when this is disposed, and also when this process is
 * killed. Disposing throws with what would not go.
 */
export function keep({ folder, bridge = "" }: DaemonResources): AsyncDisposable {
  const program = join(repository, "test/support/clean-up-after.ts");
  // Its own session: Ctrl-C must not reach it. Its input ends when the last who could write to it has gone.
  const child = spawn(process.execPath, [program, folder, bridge], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  // A test that forgets to dispose may end all the same.
  const handles = [child, child.stdin as Socket];
  for (const handle of handles) handle.unref();
  return {
    async [Symbol.asyncDispose]() {
      for (const handle of handles) handle.ref();
      child.stdin.end();
      const [code] = await closed;
      if (code !== 0) throw new Error(`what belongs to ${folder} was not cleaned up`);
    },
  };
}

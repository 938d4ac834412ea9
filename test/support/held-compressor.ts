import { chmod, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { testFolder } from "./test-run.ts";

/** An igzip that can be held in the middle, so that an export lasts as long as a test wants. */
export interface HeldCompressor extends AsyncDisposable {
  /** The PATH of the daemon that is to use it. */
  readonly path: string;
  /** The next that packs stands still soon after it has written so many bytes (default: its first). */
  hold(bytes?: number): Promise<void>;
  /** Resolves once it does. */
  held(): Promise<true>;
  /** Who stands still goes on, and nobody else will. */
  release(): Promise<void>;
}

export async function heldCompressor(): Promise<HeldCompressor> {
  const folder = await testFolder();
  const flag = join(folder, "hold");
  // The process stays the same: igzip takes the place of this shell, and a child of it says when to stop.
  const script = `#!/bin/sh
if mv ${flag} ${flag}.taken 2>/dev/null; then
  (
    limit=$(cat ${flag}.taken)
    while size=$(stat -L -c %s /proc/$$/fd/1 2>/dev/null) && [ "$size" -le "$limit" ]; do :; done
    # It came to its end before.
    [ -n "$size" ] || exit
    kill -STOP $$
    : >${folder}/$$.held
  ) &
fi
exec /usr/bin/igzip "$@"
`;
  await writeFile(join(folder, "igzip"), script);
  await chmod(join(folder, "igzip"), 0o755);
  const names = async () => (await readdir(folder)).filter((name) => name.endsWith(".held"));
  return {
    path: `${folder}:${process.env.PATH}`,
    async hold(bytes = 0) {
      await writeFile(`${flag}.new`, `${bytes}`);
      await rename(`${flag}.new`, flag);
    },
    held: () => eventually("a packer that stands still", async () => (await names()).length > 0 || undefined),
    async release() {
      await rm(flag, { force: true });
      for (const name of await names()) {
        await rm(join(folder, name));
        resume(Number.parseInt(name, 10));
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

function resume(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch (error) {
    // It was killed where it stood.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

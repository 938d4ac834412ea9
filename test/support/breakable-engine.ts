import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testFolder } from "./test-run.ts";

/** An engine's program that can be broken: then each start of it dies at once. */
export interface BreakableEngine extends AsyncDisposable {
  /** Where it lies: to be put in front of a PATH. */
  readonly folder: string;
  /** The PATH of the daemon that is to use it. */
  readonly path: string;
  break(): Promise<void>;
  mend(): Promise<void>;
}

export async function breakableEngine(): Promise<BreakableEngine> {
  const folder = await testFolder();
  const flag = join(folder, "broken");
  const program = join(folder, "lxd");
  const script = `#!/bin/sh\nif [ -e ${flag} ]; then echo "Error: broken on purpose" >&2; exit 1; fi\nexec /usr/bin/lxd "$@"\n`;
  await writeFile(program, script);
  await chmod(program, 0o755);
  return {
    folder,
    path: `${folder}:${process.env.PATH}`,
    break: () => writeFile(flag, ""),
    mend: () => rm(flag),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

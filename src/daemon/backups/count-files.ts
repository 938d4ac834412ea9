import { createInterface } from "node:readline";
import { Subprocess } from "./subprocess.ts";

export interface FileCount {
  readonly files: number;
  /** The sum of their sizes as lstat tells them. */
  readonly bytes: number;
}

/**
 * Counts files, folders, links and devices below a folder, and adds up their sizes (behaviour.md 5.10). Sockets
 * do not count: no archive can hold them. `find` is the command, up to the starting points.
 */
export async function countFiles(
  find: readonly [string, ...string[]],
  cwd: string,
  signal: AbortSignal,
): Promise<FileCount> {
  const words = [...find, "!", "-type", "s", "-printf", "%s\\n"] as const;
  await using counting = Subprocess.start(words, { cwd, signal }, "find");
  let files = 0;
  let bytes = 0;
  for await (const line of createInterface({ input: counting.stdout })) {
    files++;
    bytes += Number(line);
  }
  await counting.succeeded();
  return { files, bytes };
}

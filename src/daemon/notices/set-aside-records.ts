import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { textOfFile } from "../../base/files/files.ts";

/** A file of the state folder that the daemon could not use and set aside. */
export interface SetAsideRecord {
  readonly path: string;
  readonly reason: string;
  /** When it was last written, in milliseconds since 1970. */
  readonly since: number;
}

const NAME = /\.(unreadable|set-aside)$/;
/** Only so much of a file is read: a record is far smaller. */
const MAX_BYTES = 64 * 1024;

/** The files of a folder that were set aside, oldest first. The reason comes from PATH.reason, or from the content. */
export async function setAsideRecords(folder: string): Promise<SetAsideRecord[]> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name));
  const found = await Promise.all(names.map((name) => read(join(folder, name))));
  return found.filter((record) => record !== undefined).sort((a, b) => a.since - b.since);
}

async function read(path: string): Promise<SetAsideRecord | undefined> {
  try {
    await using file = await open(path);
    const { mtimeMs: since } = await file.stat();
    const written = (await textOfFile(`${path}.reason`))?.split("\n")[0]?.trim();
    return { path, since, reason: written || (await reasonFromContent(file)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return { path, since: 0, reason: `it cannot be read: ${(error as Error).message}` };
  }
}

async function reasonFromContent(file: Awaited<ReturnType<typeof open>>): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
  if (bytesRead === 0) return "it is empty";
  try {
    JSON.parse(buffer.toString("utf8", 0, bytesRead));
    return "it is no record of an operation that this version knows";
  } catch {
    return "it is not JSON";
  }
}

import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/files.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { METADATA_LIMIT } from "./backup-metadata.ts";
import { confined } from "./confined.ts";
import { shown } from "./member-path.ts";
import { Subprocess } from "./subprocess.ts";
import { unpack } from "./unpack.ts";

const BLOCK = 512;

/**
 * The text of a backup's metadata.yaml: normally the first member, so that hardly anything is read. Throws
 * `invalid` when there is none, or a larger one than any engine would write.
 */
export async function readMetadata(
  file: FileHandle,
  format: ArchiveFormat,
  signal: AbortSignal,
): Promise<string> {
  let first = "";
  let text: Promise<string> | undefined;
  await using stack = new AsyncDisposableStack();
  let tar: Subprocess | undefined;
  for await (const chunk of unpack(bytesOfFile(file), format, signal)) {
    if (!tar) {
      first = firstName(chunk);
      // All names of an archive begin in the same way, and tar takes them as they are.
      const name = first.startsWith("./") ? "./metadata.yaml" : "metadata.yaml";
      const { words, cwd } = confined(["tar", "--occurrence=1", "-xOf", "-", name]);
      tar = stack.use(Subprocess.start(words, { cwd, signal }, "tar"));
      text = read(tar, METADATA_LIMIT);
      text.catch(() => undefined);
    }
    if (!(await tar.write(chunk))) break;
  }
  tar?.end();
  const found = await text;
  if (found) return found;
  throw new TremplinError("invalid", `the file is no backup: ${whatElse(first)}`);
}

/** Why an archive whose first member has this name has no metadata.yaml. */
function whatElse(first: string): string {
  if (/^(\.\/)?backup\b/.test(first)) {
    return (
      "it was made by the engine's own `export`, which only its own `import` reads; " +
      "make one with `tremplin export`, or with `lxc publish` and `lxc image export`"
    );
  }
  return `it has no metadata.yaml with any text; it begins with ${shown(first)}`;
}

async function read(tar: Subprocess, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) {
      throw new TremplinError("invalid", `the backup's metadata.yaml is larger than ${most} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The name of the first member, behind the headers that say more of it (pax and GNU). */
function firstName(archive: Buffer): string {
  let header = archive.subarray(0, BLOCK);
  let rest = archive;
  while (header.length === BLOCK && /^[xgXLK]$/.test(textOf(header, 156, 1))) {
    const size = Number.parseInt(textOf(header, 124, 12), 8) || 0;
    rest = rest.subarray(BLOCK + Math.ceil(size / BLOCK) * BLOCK);
    header = rest.subarray(0, BLOCK);
  }
  return textOf(header, 0, 100);
}

/** The text of a field, which ends with a zero or where the next begins. */
function textOf(header: Buffer, offset: number, length: number): string {
  const [text = ""] = header.toString("latin1", offset, offset + length).split("\0");
  return text;
}

import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/files.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { MAX_METADATA_BYTES } from "./backup-metadata.ts";
import { sandboxed } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";
import { quoteName } from "./tar-member.ts";
import { unpack } from "./unpack.ts";

const BLOCK = 512;

/**
 * Reads the text of a backup's metadata.yaml. It is normally the first member, so this reads little. Throws `invalid`
 * if it is missing or larger than 1 MiB.
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
      first = firstMemberName(chunk);
      // All names of an archive have the same prefix, and tar compares them literally.
      const name = first.startsWith("./") ? "./metadata.yaml" : "metadata.yaml";
      const { command, cwd } = sandboxed(["tar", "--occurrence=1", "-xOf", "-", name]);
      tar = stack.use(Subprocess.start(command, { cwd, signal }, "tar"));
      text = read(tar, MAX_METADATA_BYTES);
      text.catch(() => undefined);
    }
    if (!(await tar.write(chunk))) break;
  }
  tar?.end();
  const found = await text;
  if (found) return found;
  throw new TremplinError("invalid", `the file is not a backup: ${explainMissing(first)}`);
}

/** Explains why an archive whose first member has this name has no metadata.yaml. */
function explainMissing(first: string): string {
  if (/^(\.\/)?backup\b/.test(first)) {
    return (
      "it was made with the engine's own `export`, which only its own `import` can read; " +
      "use `tremplin export`, or `lxc publish` and `lxc image export`"
    );
  }
  return `its metadata.yaml is missing or empty; its first member is ${quoteName(first)}`;
}

async function read(tar: Subprocess, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TremplinError("invalid", `the backup's metadata.yaml is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The name of the first member, after its extended headers (pax and GNU). */
function firstMemberName(archive: Buffer): string {
  let header = archive.subarray(0, BLOCK);
  let rest = archive;
  while (header.length === BLOCK && /^[xgXLK]$/.test(fieldText(header, 156, 1))) {
    const size = Number.parseInt(fieldText(header, 124, 12), 8) || 0;
    rest = rest.subarray(BLOCK + Math.ceil(size / BLOCK) * BLOCK);
    header = rest.subarray(0, BLOCK);
  }
  return fieldText(header, 0, 100);
}

/** The text of a header field, up to a NUL. */
function fieldText(header: Buffer, offset: number, length: number): string {
  const [text = ""] = header.toString("latin1", offset, offset + length).split("\0");
  return text;
}

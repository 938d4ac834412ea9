import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type ArchiveFormat, describeOther, formatOf } from "./archive-format.ts";
import { MAX_METADATA_BYTES } from "./backup-metadata.ts";
import { bytesOfBackup } from "./bytes-of-backup.ts";
import { sandboxed } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";
import { firstMemberName, isTarHeader } from "./tar-header.ts";
import { quoteName } from "./tar-member.ts";
import { unpack } from "./unpack.ts";

/** Has the first member, and the extended headers before it. */
const HEAD_BYTES = 64 * 1024;
const NAME = "metadata.yaml";

/** What archives of other kinds begin with. */
const IMAGE_PARTS = new Set(["blobs", "manifest.json", "oci-layout", "repositories"]);
const ROOT_FOLDERS = new Set([
  ".dockerenv",
  "bin",
  "boot",
  "dev",
  "etc",
  "home",
  "lib",
  "root",
  "sbin",
  "usr",
  "var",
]);

const ENGINE_EXPORT =
  "it was made with the engine's own `export`, which only its own `import` can read; " +
  "use `tremplin export`, or `lxc publish` and `lxc image export`";

/**
 * Reads the text of a backup's metadata.yaml. It is normally the first member, so this reads little. Throws `invalid`
 * if it is missing or larger than 1 MiB.
 */
export async function readMetadata(
  file: FileHandle,
  format: ArchiveFormat,
  signal: AbortSignal,
): Promise<string> {
  const head = await readHead(file, format, signal);
  if (!isTarHeader(head)) throw notBackup(explainContent(format, head));
  const first = firstMemberName(head);
  if (/^(\.\/)?backup\b/.test(first)) throw notBackup(ENGINE_EXPORT);
  // Usually all names of an archive have the same prefix, and tar compares them literally.
  const names = first.startsWith("./") ? [`./${NAME}`, NAME] : [NAME, `./${NAME}`];
  for (const name of names) {
    const found = await readMember(name, file, format, signal);
    if (found.length > 0) return decode(found);
  }
  throw notBackup(explainMissing(first));
}

async function readHead(file: FileHandle, format: ArchiveFormat, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of unpack(bytesOfBackup(file), format, signal)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= HEAD_BYTES) break;
  }
  return Buffer.concat(chunks);
}

/** The content of a member; empty where there is none of that name. */
async function readMember(
  name: string,
  file: FileHandle,
  format: ArchiveFormat,
  signal: AbortSignal,
): Promise<Buffer> {
  const { command, cwd } = sandboxed(["tar", "--occurrence=1", "-xOf", "-", name]);
  await using tar = Subprocess.start(command, { cwd, signal }, "tar");
  const text = read(tar, MAX_METADATA_BYTES);
  text.catch(() => undefined);
  for await (const chunk of unpack(bytesOfBackup(file), format, signal)) if (!(await tar.write(chunk))) break;
  tar.end();
  return await text;
}

/** Why content that is no tar archive is no backup. */
function explainContent(format: ArchiveFormat, head: Buffer): string {
  if (head.length === 0) return "it is empty";
  if (format === "tar") return "the first part of its tar archive is damaged";
  const inner = formatOf(head);
  const what = inner
    ? `is compressed a second time, with ${inner}`
    : `is ${describeOther(head) ?? "no tar archive"}`;
  return `what is compressed in it with ${format} ${what}`;
}

/** Why an archive whose first member has this name has no metadata.yaml. */
function explainMissing(first: string): string {
  const [top = ""] = first.replace(/^(\.?\/)+/, "").split("/");
  if (IMAGE_PARTS.has(top)) return "it is an image of Docker or OCI, not of an engine for system containers";
  if (ROOT_FOLDERS.has(top)) {
    return `it is a root file system by itself; put it into a folder rootfs, next to a ${NAME}, and pack both`;
  }
  return `its ${NAME} is missing or empty; its first member is ${quoteName(first)}`;
}

function notBackup(reason: string): TremplinError {
  return new TremplinError("invalid", `the file is not a backup: ${reason}`);
}

async function read(tar: Subprocess, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new TremplinError("invalid", `the backup's ${NAME} is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The text of a file that a person may have written on any system. */
function decode(bytes: Buffer): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}

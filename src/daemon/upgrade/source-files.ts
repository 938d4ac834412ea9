import { TremplinError } from "../../base/tremplin-error.ts";
import { withoutCredentials } from "../../base/without-credentials.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { AptSource, AptSourceEditor } from "../guest/apt-source.ts";
import { editAptSources, readAptSources } from "../guest/apt-sources.ts";
import { replaceFile, resolveFileLinks } from "../guest/container-files.ts";
import { displayText } from "../guest/lossless-text.ts";
import { plainLine } from "./output-lines.ts";

const FOLDER = "/etc/apt/sources.list.d";
const MAX_FILES = 500;
const MAX_FILE_BYTES = 256 * 1024;
/** For all files together, which stay in memory during the upgrade. */
const MAX_TOTAL_BYTES = 4 * 1024 * 1024;

/** An apt source file of a container, with its original content. */
export interface SourceFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** Reads all apt source files. Skips names that apt ignores (`x.list.save`). */
export async function readSourceFiles(files: FileSession): Promise<SourceFile[]> {
  const entries = (await files.list(FOLDER, MAX_FILES).catch(ifMissing)) ?? [];
  const names = entries
    .map(({ name }) => name)
    .filter((name) => /^[A-Za-z0-9_.-]+\.(list|sources)$/.test(name));
  const found: SourceFile[] = [];
  let bytes = 0;
  for (const path of ["/etc/apt/sources.list", ...names.sort().map((name) => `${FOLDER}/${name}`)]) {
    const info = await files.stat(path).catch(ifMissing);
    if (info?.type !== "file") continue;
    const content = await files.read(path, MAX_FILE_BYTES);
    found.push({ path, content });
    bytes += content.length;
    if (bytes > MAX_TOTAL_BYTES) {
      throw new TremplinError("failed", `its apt sources are larger than ${MAX_TOTAL_BYTES} bytes`);
    }
  }
  return found;
}

/** The enabled entries of a file. */
export function enabledSources(file: SourceFile): AptSource[] {
  return readAptSources(file.path, file.content).filter(({ enabled }) => enabled);
}

/**
 * Edits the original files and atomically replaces those that differ from the disk. Keeps owner, mode and links.
 */
export async function writeSourceFiles(
  files: FileSession,
  originals: readonly SourceFile[],
  edit: AptSourceEditor,
): Promise<void> {
  for (const { path, content } of originals) {
    const edited = editAptSources(path, content, edit);
    if (Buffer.compare(edited, await files.read(path, MAX_FILE_BYTES)) === 0) continue;
    const { uid, gid, mode } = await files.stat(path);
    await replaceFile(files, await resolveFileLinks(files, path), edited, { uid, gid, mode: mode & 0o777 });
  }
}

/** An entry for messages, without passwords. */
export function formatSource({ uris, suites, components }: AptSource): string {
  return plainUri([...uris, ...suites, ...components].join(" "));
}

/** A URI of the sources for messages, without its password. */
export function plainUri(text: string): string {
  return plainLine(displayText(withoutCredentials(text)).slice(0, 300));
}

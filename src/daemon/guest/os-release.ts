import { create } from "@bufbuild/protobuf";
import { type OsRelease, OsReleaseSchema } from "../../contract/tremplin_pb.js";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/** A container's os-release. */
export interface Release {
  /** The message for the host. Fields that the file does not set are empty. */
  readonly message: OsRelease;
  /** VERSION_CODENAME, for example "bookworm"; empty if not set. Untrusted text: check it before use. */
  readonly codename: string;
}

/**
 * Parses os-release(5) (docs/contract.md#os-release): the first `=` splits a line, values are unquoted as a shell
 * does, and the last of several assignments counts. Skips all lines that are not assignments, so that it never
 * fails. Bytes that are not UTF-8 become U+FFFD.
 */
export function parseOsRelease(content: Uint8Array): Release {
  const values = new Map<string, string>();
  for (const line of new TextDecoder().decode(content).split("\n")) {
    const split = line.indexOf("=");
    const word = split < 0 ? undefined : unquote(line.slice(split + 1).trim());
    if (word !== undefined) values.set(line.slice(0, split).trimStart(), word);
  }
  const value = (key: string) => values.get(key) ?? "";
  const message = create(OsReleaseSchema, {
    prettyName: value("PRETTY_NAME"),
    name: value("NAME"),
    version: value("VERSION"),
    versionId: value("VERSION_ID"),
    id: value("ID"),
  });
  return { message, codename: value("VERSION_CODENAME") };
}

/** The value that a shell reads from one word; undefined if its quotes do not match. */
function unquote(word: string): string | undefined {
  const quote = word[0];
  if (quote !== '"' && quote !== "'")
    return /["']/.test(withoutEscapes(word)) ? undefined : removeEscapes(word);
  const inner = word.slice(1, -1);
  if (word.length < 2 || !word.endsWith(quote)) return undefined;
  if (quote === "'") return inner.includes("'") ? undefined : inner;
  return /["\\]/.test(withoutEscapes(inner)) ? undefined : inner.replace(/\\(["\\$`])/g, "$1");
}

/** Removes escaped characters; a backslash that escapes nothing stays. */
function withoutEscapes(text: string): string {
  return text.replace(/\\./gs, "");
}

function removeEscapes(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}

const MAX_BYTES = 64 * 1024;

/**
 * Reads the os-release of a running or stopped container (docs/contract.md#os-release). Throws `not-found` if it has
 * none.
 */
export async function readOsRelease(files: FileSession): Promise<Release> {
  const read = (path: string) => files.read(path, MAX_BYTES);
  return parseOsRelease(
    (await read("/etc/os-release").catch(ifMissing)) ?? (await read("/usr/lib/os-release")),
  );
}

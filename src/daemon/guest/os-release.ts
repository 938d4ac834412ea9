import { create } from "@bufbuild/protobuf";
import { type OsRelease, OsReleaseSchema } from "../../contract/tremplin_pb.js";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifInaccessible } from "./container-files.ts";

/** A container's os-release. */
export interface Release {
  /** The message for the host. Fields that the file does not set are empty. */
  readonly message: OsRelease;
  /** VERSION_CODENAME, for example "bookworm"; empty if not set. Untrusted text: check it before use. */
  readonly codename: string;
}

/**
 * Parses os-release(5) (docs/contract.md#os-release): the first `=` splits a line, values are unquoted as a shell
 * does, and the last of several assignments counts. Blanks around the `=`, `export` and a comment behind the value
 * are no obstacle. Skips all lines that are not assignments, so that it never fails. Bytes that are not UTF-8 become
 * U+FFFD.
 */
export function parseOsRelease(content: Uint8Array): Release {
  const values = new Map<string, string>();
  for (const line of new TextDecoder().decode(content).split("\n")) {
    const split = line.indexOf("=");
    const word = split < 0 ? undefined : unquote(line.slice(split + 1).trim());
    const key = line
      .slice(0, Math.max(0, split))
      .trim()
      .replace(/^export\s+/, "");
    if (word !== undefined) values.set(key, word);
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

/** The value that a shell reads from one word, perhaps with a comment behind it; undefined if its quotes do not match. */
function unquote(text: string): string | undefined {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") {
    const word = withoutComment(text);
    return /["']/.test(blankEscapes(word)) ? undefined : removeEscapes(word);
  }
  const end = (quote === '"' ? blankEscapes(text) : text).indexOf(quote, 1);
  if (end < 0 || withoutComment(text.slice(end + 1)) !== "") return undefined;
  const inner = text.slice(1, end);
  return quote === "'" ? inner : inner.replace(/\\(["\\$`])/g, "$1");
}

/** A comment begins behind white space. */
function withoutComment(text: string): string {
  const comment = blankEscapes(text).search(/\s#/);
  return (comment < 0 ? text : text.slice(0, comment)).trim();
}

/** Replaces escaped characters, so that only those that mean something are left; positions stay the same. */
function blankEscapes(text: string): string {
  return text.replace(/\\./gs, "__");
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
  try {
    return parseOsRelease(await read("/etc/os-release"));
  } catch (error) {
    const original = await read("/usr/lib/os-release").catch(ifInaccessible);
    if (original) return parseOsRelease(original);
    throw error;
  }
}

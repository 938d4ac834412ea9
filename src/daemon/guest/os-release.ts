import { create } from "@bufbuild/protobuf";
import { type OsRelease, OsReleaseSchema } from "../../contract/tremplin_pb.js";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/** What a container says of itself. */
export interface Release {
  /** What goes to the host. A field the file does not set is empty. */
  readonly message: OsRelease;
  /** VERSION_CODENAME, for example "bookworm"; empty if not set. Any text: check it before it goes anywhere. */
  readonly codename: string;
}

/**
 * Reads os-release(5) (behaviour.md 4.6, item 10): the first `=` splits, comments and blank lines are
 * skipped, values are unquoted as a shell does, the last of several assignments counts. A line that is no
 * assignment is skipped, so nothing makes this fail. Bytes that are not UTF-8 become U+FFFD.
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

/** The value that a shell reads from one word; undefined if a quote is not closed or closed too early. */
function unquote(word: string): string | undefined {
  const quote = word[0];
  if (quote !== '"' && quote !== "'")
    return /["']/.test(withoutEscapes(word)) ? undefined : removeEscapes(word);
  const inner = word.slice(1, -1);
  if (word.length < 2 || !word.endsWith(quote)) return undefined;
  if (quote === "'") return inner.includes("'") ? undefined : inner;
  return /["\\]/.test(withoutEscapes(inner)) ? undefined : inner.replace(/\\(["\\$`])/g, "$1");
}

/** Only what is not escaped; a backslash that escapes nothing stays. */
function withoutEscapes(text: string): string {
  return text.replace(/\\./gs, "");
}

function removeEscapes(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}

const MAX_BYTES = 64 * 1024;

/** What a container says of itself, running or stopped (behaviour.md 4.6). Throws `not-found` if nothing. */
export async function readOsRelease(files: FileSession): Promise<Release> {
  const read = (path: string) => files.read(path, MAX_BYTES);
  return parseOsRelease(
    (await read("/etc/os-release").catch(ifMissing)) ?? (await read("/usr/lib/os-release")),
  );
}

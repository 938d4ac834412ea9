import type { AptSystem } from "./apt-system.ts";
import { parseAptUri } from "./apt-uri.ts";
import { downloadText } from "./ask-release-files.ts";

/** Apt uses the mirrors in their order of priority; asking one of the first is enough. */
const MAX_MIRRORS = 3;

/**
 * The mirrors behind a URI of apt-transport-mirror(1) (`mirror+file:/etc/apt/mirrors/debian.list`), the preferred first;
 * of any other URI, itself. Empty if the list cannot be read.
 */
export async function expandMirrorList(system: AptSystem, uri: string): Promise<readonly string[]> {
  const list = mirrorListUri(uri);
  if (list === undefined) return [uri];
  const { scheme, path } = parseAptUri(list);
  const isFile = scheme === "file:" || scheme === "copy:";
  return parseMirrorList(
    (isFile ? await system.readFile(`/${path.replace(/^\/+/, "")}`) : await downloadText(system, list)) ?? "",
  );
}

/** The URI of the list; undefined for a URI that names no list. `mirror:` is an older name of `mirror+http:`. */
export function mirrorListUri(uri: string): string | undefined {
  const [, transport, rest = ""] = /^mirror(?:\+([a-z]+))?:(.*)$/is.exec(uri) ?? [];
  return rest === "" ? undefined : `${(transport ?? "http").toLowerCase()}:${rest}`;
}

/** The URIs in a list of mirrors. Words after a tab are conditions (`priority:1 arch:amd64`). */
export function parseMirrorList(text: string): string[] {
  const mirrors = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [uri = "", ...conditions] = line.split(/\s+/);
      const priority = conditions.flatMap((word) => /^priority:(\d{1,9})$/.exec(word)?.[1] ?? []);
      return { uri, priority: Number(priority[0] ?? Number.MAX_SAFE_INTEGER) };
    })
    .filter(({ uri }) => /^[a-z][a-z0-9+.-]*:/i.test(uri) && mirrorListUri(uri) === undefined);
  return mirrors
    .toSorted((one, other) => one.priority - other.priority)
    .slice(0, MAX_MIRRORS)
    .map(({ uri }) => uri);
}

import { TremplinError } from "../../base/tremplin-error.ts";
import { editAptDeb822 } from "./apt-deb822.ts";
import { editAptList } from "./apt-list.ts";
import type { AptSource, AptSourceEditor } from "./apt-source.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

/**
 * Changes entries of one file of apt's sources and keeps all else byte for byte: comments, order, white
 * space, and what apt itself could not read. The name of the file decides the format, as it does for apt;
 * throws `invalid` if it ends in neither `.list` nor `.sources`, or if a new suite or place is not one plain word.
 */
export function editAptSources(path: string, content: Uint8Array, editor: AptSourceEditor): Uint8Array {
  const editFile = path.endsWith(".list")
    ? editAptList
    : path.endsWith(".sources")
      ? editAptDeb822
      : undefined;
  if (!editFile) throw new TremplinError("invalid", `${path} is no file of apt's sources: .list or .sources`);
  return encodeLatin1(
    editFile(decodeLatin1(content), (source) => {
      const { suite, uri, disable } = editor(source) ?? {};
      return {
        ...(suite && { suite: (name) => checkSuite(suite(name), name) }),
        ...(uri && { uri: (place) => checkUri(uri(place), place) }),
        disable,
      };
    }),
  );
}

/** The entries of such a file, in order. */
export function readAptSources(path: string, content: Uint8Array): AptSource[] {
  const sources: AptSource[] = [];
  editAptSources(path, content, (source) => {
    sources.push(source);
    return undefined;
  });
  return sources;
}

/** A suite that keeps its name may be called as it is. */
function checkSuite(suite: string | undefined, before: string): string | undefined {
  if (suite === undefined || suite === before || /^[A-Za-z0-9][A-Za-z0-9+./_~-]*$/.test(suite)) return suite;
  throw new TremplinError(
    "invalid",
    "the new name of a suite must be one word of letters, digits and + . / _ ~ -",
  );
}

/** A place that stays may be written as it is. */
function checkUri(uri: string, before: string): string {
  if (uri === before || /^[a-z][a-z0-9+.-]*:[A-Za-z0-9%+,./:=?@_~-]*$/.test(uri)) return uri;
  throw new TremplinError("invalid", "the new place of a source must be a plain URI, without blanks");
}

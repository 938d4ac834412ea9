import { TremplinError } from "../../base/tremplin-error.ts";
import { editAptDeb822 } from "./apt-deb822.ts";
import { editAptList } from "./apt-list.ts";
import type { AptSource, AptSourceEditor } from "./apt-source.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

/**
 * Edits entries of one apt source file and keeps everything else byte for byte: comments, order, white space, and
 * text that apt itself cannot parse. The extension decides the format, as it does for apt. Throws `invalid` if it
 * is neither `.list` nor `.sources`, or if a new suite or URI is not one plain word.
 */
export function editAptSources(path: string, content: Uint8Array, editor: AptSourceEditor): Uint8Array {
  const editFile = path.endsWith(".list")
    ? editAptList
    : path.endsWith(".sources")
      ? editAptDeb822
      : undefined;
  if (!editFile) throw new TremplinError("invalid", `${path} is not an apt source file (.list or .sources)`);
  return encodeLatin1(
    editFile(decodeLatin1(content), (source) => {
      const { suite, uri, disable } = editor(source) ?? {};
      return {
        ...(suite && { suite: (name) => checkSuite(suite(name), name) }),
        ...(uri && { uri: (before) => checkUri(uri(before), before) }),
        disable,
      };
    }),
  );
}

/** The entries of an apt source file, in order. */
export function readAptSources(path: string, content: Uint8Array): AptSource[] {
  const sources: AptSource[] = [];
  editAptSources(path, content, (source) => {
    sources.push(source);
    return undefined;
  });
  return sources;
}

/** An unchanged suite may have any name. */
function checkSuite(suite: string | undefined, before: string): string | undefined {
  if (suite === undefined || suite === before || /^[A-Za-z0-9][A-Za-z0-9+./_~-]*$/.test(suite)) return suite;
  throw new TremplinError(
    "invalid",
    "the new name of a suite must be one word of letters, digits and + . / _ ~ -",
  );
}

/** An unchanged URI may have any form. */
function checkUri(uri: string, before: string): string {
  if (uri === before || /^[a-z][a-z0-9+.-]*:[A-Za-z0-9%+,./:=?@_~-]*$/.test(uri)) return uri;
  throw new TremplinError("invalid", "the new URI of a source must be plain, without blanks");
}

import type { AptSource, AptSourceEdit, AptSourceEditor } from "./apt-source.ts";
import { trimAscii } from "./lossless-text.ts";

interface FieldLine {
  readonly text: string;
  /** The field of the line, in lower case; empty for comments and for lines that apt ignores. */
  readonly field: string;
  /** Offset of the value. */
  readonly value: number;
}

/** The words that apt takes as "no". */
const NEGATIONS = new Set(["no", "false", "without", "off", "disable", "0"]);

/**
 * Edits the deb822 format of sources.list(5): stanzas of `Field: value`, separated by empty lines. Reads it as
 * apt 2.6 does: a line of blanks does not separate stanzas, and the last of several equal fields counts.
 */
export function editAptDeb822(text: string, editor: AptSourceEditor): string {
  const edited: string[] = [];
  let stanza: string[] = [];
  const endStanza = () => {
    for (const line of editStanza(stanza, editor)) edited.push(line);
    stanza = [];
  };
  for (const line of text.split("\n")) {
    if (line !== "" && line !== "\r") stanza.push(line);
    else {
      if (stanza.length > 0) endStanza();
      edited.push(line);
    }
  }
  endStanza();
  return edited.join("\n");
}

function editStanza(stanza: string[], editor: AptSourceEditor): string[] {
  const lines = fieldLines(stanza);
  const wordsOf = (field: string) =>
    lines.filter((line) => line.field === field).flatMap((line) => splitWords(line.text.slice(line.value)));
  const source: AptSource = {
    types: wordsOf("types"),
    uris: wordsOf("uris"),
    suites: wordsOf("suites"),
    components: wordsOf("components"),
    enabled: !NEGATIONS.has(wordsOf("enabled").join(" ").toLowerCase()),
  };
  if (!source.types.length || !source.uris.length || !source.suites.length) return stanza;
  const edit = editor(source);
  if (!edit) return stanza;
  const isEmptied = source.suites.every((name) => edit.suite && edit.suite(name) === undefined);
  const isDisabled = edit.disable || isEmptied;
  const kept = isEmptied ? lines : lines.flatMap((line) => editLine(line, edit));
  return (isDisabled && source.enabled ? disableStanza(kept) : kept).map((line) => line.text);
}

function fieldLines(stanza: string[]): FieldLine[] {
  const lastStarts = new Map<string, number>();
  let field = "";
  let start = 0;
  const lines = stanza.map((text, index) => {
    if (text.startsWith("#")) return { text, field: "", value: 0, start: index };
    if (/^[ \t]/.test(text)) return { text, field, value: 0, start };
    const colon = text.indexOf(":");
    field = trimAscii(text.slice(0, Math.max(colon, 0))).toLowerCase();
    start = index;
    lastStarts.set(field, start);
    return { text, field, value: colon + 1, start };
  });
  return lines.map((line) => ({
    ...line,
    field: lastStarts.get(line.field) === line.start ? line.field : "",
  }));
}

function editLine(line: FieldLine, { suite, uri }: AptSourceEdit): FieldLine[] {
  const rename = line.field === "suites" ? suite : line.field === "uris" ? uri : undefined;
  if (!rename) return [line];
  const wordsWithBlanksBefore = line.text.slice(line.value).split(/(?<=[^ \t\v\f\r])(?=[ \t\v\f\r])/);
  const value = wordsWithBlanksBefore.map((piece) => {
    const start = piece.search(/[^ \t\v\f\r]/);
    if (start < 0) return piece;
    const renamed = rename(piece.slice(start));
    return renamed === undefined ? "" : piece.slice(0, start) + renamed;
  });
  const text = line.text.slice(0, line.value) + value.join("");
  // Without a word it would be a line of blanks, or end the stanza.
  return text !== line.text && trimAscii(text) === "" ? [] : [{ ...line, text }];
}

function disableStanza(lines: FieldLine[]): FieldLine[] {
  const place = lines.findIndex((line) => line.field === "enabled");
  const first = lines.findIndex((line) => line.field !== "");
  const lineEnd = lines[first]?.text.endsWith("\r") ? "\r" : "";
  const added = { text: `Enabled: no${lineEnd}`, field: "enabled", value: 8 };
  const others = lines.filter((line) => line.field !== "enabled");
  return others.toSpliced(place < 0 ? first : place, 0, added);
}

function splitWords(text: string): string[] {
  return text.split(/[ \t\v\f\r]+/).filter((word) => word !== "");
}

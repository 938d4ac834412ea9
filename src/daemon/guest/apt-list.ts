import type { AptSource, AptSourceEditor } from "./apt-source.ts";

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Edits the one-line format of sources.list(5): `deb [options] uri suite component...`. */
export function editAptList(text: string, editor: AptSourceEditor): string {
  return text
    .split("\n")
    .map((line) => editLine(line, editor))
    .join("\n");
}

function editLine(line: string, editor: AptSourceEditor): string {
  const [type, ...rest] = findWords(line);
  const [uri, suite, ...components] = rest[0] && line[rest[0].start] === "[" ? rest.slice(1) : rest;
  if (!type || !uri || !suite) return line;
  const wordAt = ({ start, end }: Span) => line.slice(start, end).replaceAll('"', "");
  const source: AptSource = {
    types: [wordAt(type)],
    uris: [wordAt(uri)],
    suites: [wordAt(suite)],
    components: components.map(wordAt),
    enabled: true,
  };
  if (!/^deb(-src)?$/.test(wordAt(type))) return line;
  const edit = editor(source);
  const renamed = edit?.suite ? edit.suite(wordAt(suite)) : wordAt(suite);
  if (edit?.disable || renamed === undefined) return `# ${line}`;
  const moved = edit?.uri ? edit.uri(wordAt(uri)) : wordAt(uri);
  // The later word first, so that the offset of the other one stays valid.
  return replaceWord(replaceWord(line, suite, wordAt(suite), renamed), uri, wordAt(uri), moved);
}

/** An unchanged word keeps its quotes. */
function replaceWord(line: string, { start, end }: Span, before: string, now: string): string {
  return now === before ? line : line.slice(0, start) + now + line.slice(end);
}

/** The words before a comment; none if a quote or a bracket is not closed. */
function findWords(line: string): Span[] {
  const comment = line.indexOf("#");
  const text = comment < 0 ? line : line.slice(0, comment);
  const spans: Span[] = [];
  let start = 0;
  while (start < text.length) {
    const end = isBlank(text[start]) ? start + 1 : findWordEnd(text, start);
    if (end === undefined) return [];
    if (!isBlank(text[start])) spans.push({ start, end });
    start = end;
  }
  return spans;
}

/** The end of a word: after the options, else at a blank outside quotes and brackets. */
function findWordEnd(text: string, start: number): number | undefined {
  let at = start;
  for (; at < text.length && !isBlank(text[at]); at++) {
    const close = text[at] === '"' ? '"' : text[at] === "[" ? "]" : undefined;
    if (close) at = text.indexOf(close, at + 1);
    if (at < 0) return undefined;
    if (text[start] === "[") return at + 1;
  }
  return at;
}

function isBlank(character = ""): boolean {
  return /[ \t\v\f\r]/.test(character);
}

// The words in the column "avoid" of docs/glossary.md do not occur in src/ and docs/: not in prose, not as a part of
// an identifier (orderLane, order-lane, ORDER_LANE), not in the name of a file.
import { filesIn, lineOf } from "./tree.mjs";

const GLOSSARY = "docs/glossary.md";

/** Names that others rely on. `text` is the name as it stands in files whose path begins with `in`. */
const allowed = [
  { text: "allSettled", in: "src/", reason: "a function of JavaScript" },
  { text: "wishes", in: "src/daemon/devices/", reason: "a key in STATE/usb.json" },
  { text: "NO_WAY_BACK", in: "src/", reason: "a status of proto/tremplin/v1/guest.proto, in JSON too" },
  { text: "NO_WAY_BACK", in: "docs/contract.md", reason: "the same status, as JSON has it" },
  { text: "pulse", in: "src/daemon/guest/", reason: "an account of Debian's pulseaudio" },
  { text: "pulse", in: "docs/contract.md", reason: "an account of Debian's pulseaudio" },
  { text: "TREMPLIN_RANDOM_TOLD", in: "docs/testing.md", reason: "an environment variable" },
];

export function checkWords(tree, exceptions = allowed) {
  const phrases = avoidedPhrases(tree.get(GLOSSARY) ?? "");
  if (phrases.length === 0) return [`${GLOSSARY}:1: the table has no column "avoid" with words in it`];
  const used = new Set();
  const problems = [];
  for (const [path, text] of filesIn(tree, "src", "docs")) {
    if (path === GLOSSARY) continue;
    for (const { phrase } of findPhrases(path, phrases)) {
      problems.push(`${path}:1: the path contains "${phrase.avoid}"; rename it: ${advice(phrase)}`);
    }
    for (const { phrase, start, end } of findPhrases(text, phrases)) {
      const isCovering = (entry) => path.startsWith(entry.in) && covers(entry.text, text, start, end);
      const exception = exceptions.find(isCovering);
      const found = text.slice(start, end).replace(/\s+/g, " ");
      if (exception) used.add(exception);
      else problems.push(`${path}:${lineOf(text, start)}: avoid "${found}": ${advice(phrase)}`);
    }
  }
  const unused = exceptions.filter((entry) => !used.has(entry));
  const here = "scripts/checks/words.mjs:1";
  return [
    ...problems,
    ...unused.map(({ text }) => `${here}: nothing needs the exception "${text}"; remove it`),
  ];
}

/** What the rows of the glossary avoid, each with the word to use instead. */
export function avoidedPhrases(glossary) {
  const rows = glossary.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).flatMap((row) => {
    const [, instead = "", , avoid = ""] = row.split("|").map((cell) => cell.trim());
    const entries = avoid.split(",").map((entry) => entry.trim());
    return entries
      .filter(Boolean)
      .map((entry) => ({ avoid: entry, words: entry.toLowerCase().split(/[ -]/), instead }));
  });
}

/**
 * Where a text has one of the phrases, in the singular or in the plural. The words of a phrase are joined by a space,
 * `-`, `_`, a capital, or a line break (with the mark of a comment).
 */
export function findPhrases(text, phrases) {
  const tokens = [...text.matchAll(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+/gu)].map(({ 0: word, index }) => ({
    forms: [word.toLowerCase(), ...singularsOf(word.toLowerCase())],
    start: index,
    end: index + word.length,
  }));
  const byFirstWord = Map.groupBy(phrases, ({ words }) => words[0]);
  return tokens.flatMap(({ forms, start }, at) => {
    const candidates = forms.flatMap((form) => byFirstWord.get(form) ?? []);
    const phrase = candidates.find(({ words }) => isAt(text, tokens.slice(at, at + words.length), words));
    return phrase ? [{ phrase, start, end: tokens[at + phrase.words.length - 1].end }] : [];
  });
}

function isAt(text, tokens, words) {
  return words.every((word, index) => {
    const token = tokens[index];
    const isLast = index === words.length - 1;
    if (!(isLast ? token?.forms : token?.forms.slice(0, 1))?.includes(word)) return false;
    return index === 0 || /^([ _-]?|\s*\n[\s/*#>]*)$/.test(text.slice(tokens[index - 1].end, token.start));
  });
}

function singularsOf(word) {
  if (word.endsWith("es")) return [word.slice(0, -1), word.slice(0, -2)];
  return word.endsWith("s") ? [word.slice(0, -1)] : [];
}

/** Whether a name of an exception includes the characters from start to end. */
function covers(name, text, start, end) {
  const at = text.indexOf(name, Math.max(0, end - name.length));
  return at >= 0 && at <= start;
}

function advice({ instead }) {
  return instead === "beyond the list" ? "say it in plain words" : `the glossary has "${instead}"`;
}

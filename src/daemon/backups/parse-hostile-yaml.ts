import { CST, type Document, Lexer, parseDocument, type YAMLError } from "yaml";
import { TremplinError } from "../../base/tremplin-error.ts";

/** Tokens of a text that is parsed: of what a person writes, and of an engine's backup.yaml with a thousand snapshots. */
export const FEW_TOKENS = 100_000;
export const MANY_TOKENS = 2_000_000;

/** Constructs for which the parser takes quadratic time, and how many of them a text may contain. */
const LIMITS: Readonly<Record<string, readonly [what: string, most: number]>> = {
  anchor: ["anchors and aliases", 100],
  alias: ["anchors and aliases", 100],
  tag: ["tags", 1000],
  "directive-line": ["directives", 10],
  "doc-start": ["documents", 10],
  "doc-end": ["documents", 10],
  "flow-error-end": ["brackets that are not closed", 10],
};
/** The parser recurses into lists and maps, and crashes the process when they are too deep. */
const MAX_DEPTH = 200;
const INDICATORS = new Set<string | null>(["seq-item-ind", "explicit-key-ind", "map-value-ind"]);
const OPENING = new Set<string | null>(["flow-seq-start", "flow-map-start"]);
const BLANK = new Set<string | null>(["space", "newline", "comment"]);
const CLOSING = new Set<string | null>(["flow-seq-end", "flow-map-end"]);

/** What is wrong with a line, by the parser's code. */
const FAULTS: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  TAB_AS_INDENT: "is indented with a tab, where only spaces are allowed",
  BAD_INDENT: "is indented wrongly, or lacks a bracket",
  MISSING_CHAR: "lacks a colon, a comma, a quote or a bracket",
  BAD_ALIAS: "refers to an anchor that is not there",
};

/**
 * Parses untrusted YAML in linear time. The caller bounds its length. Counts the tokens of the text, not its
 * characters: a script in a value may contain any number of them. Throws `invalid` with the rest of a sentence about the
 * text ("its line 3 is ...").
 */
export function parseHostileYaml(text: string, maxTokens = FEW_TOKENS): unknown {
  return toJS(parseHostileDocument(text, maxTokens));
}

/** The same, with the positions and comments of the text. */
export function parseHostileDocument(text: string, maxTokens: number): Document.Parsed {
  checkTokens(text, maxTokens);
  // Pretty errors and the check for duplicate keys take quadratic time.
  const options = { uniqueKeys: false, intAsBigInt: true, prettyErrors: false, logLevel: "silent" } as const;
  const document = parseDocument(text, options);
  const [error] = document.errors;
  if (!error) return document;
  const line = text.slice(0, error.pos[0]).split("\n").length;
  throw invalid(`its line ${line} ${FAULTS[error.code] ?? "is not valid YAML"}`, error);
}

/** The values of a document. Aliases of aliases cannot fill the memory. */
export function toJS(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw invalid("it refers to an anchor that is not there, or to one too often", error);
  }
}

function checkTokens(text: string, maxTokens: number): void {
  const found: Record<string, number> = {};
  const nesting = new Nesting();
  let tokens = 0;
  for (const source of new Lexer().lex(text)) {
    if (++tokens > maxTokens) throw invalid("it has too many parts");
    const type = CST.tokenType(source);
    const [what = "", most] = LIMITS[type ?? ""] ?? [];
    if (most !== undefined) {
      found[what] = (found[what] ?? 0) + 1;
      if (found[what] > most) throw invalid(`it has too many ${what}`);
    }
    if (nesting.depthAt(type, source) > MAX_DEPTH) throw invalid("it has too many levels of nesting");
  }
}

/** How deep lists and maps can be nested at a token: by brackets, and by indentation and the indicators on its line. */
class Nesting {
  #brackets = 0;
  #column = 0;
  #isLineStart = true;

  depthAt(type: CST.TokenType | null, source: string): number {
    if (OPENING.has(type)) this.#brackets++;
    if (CLOSING.has(type)) this.#brackets--;
    if (type === "newline") this.#column = 0;
    if (this.#brackets <= 0) {
      if (INDICATORS.has(type)) this.#column++;
      if (type === "space" && this.#isLineStart) this.#column = source.length;
    }
    this.#isLineStart = type === "newline";
    return BLANK.has(type) ? 0 : this.#brackets + this.#column;
  }
}

function invalid(sentence: string, cause?: unknown): TremplinError {
  return new TremplinError("invalid", sentence, cause);
}

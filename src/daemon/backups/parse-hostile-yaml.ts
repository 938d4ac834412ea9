import { parseDocument } from "yaml";
import { TremplinError } from "../../base/tremplin-error.ts";

/**
 * Constructs for which the parser takes quadratic time, or crashes the process (a mebibyte of `[` does), and how many
 * of them a text may contain: more than a program writes.
 */
const LIMITS: readonly [what: string, pattern: RegExp, most: number][] = [
  ["nested lists and maps", /[[{]/g, 1000],
  ["anchors and aliases", /[&*]/g, 100],
  ["tags", /!/g, 1000],
  ["directives", /^%/gm, 10],
  ["levels of nesting", /^[ \t?:-]{200}/gm, 0],
];

/** Parses untrusted YAML in linear time. The caller bounds its length. */
export function parseHostileYaml(text: string): unknown {
  for (const [what, pattern, most] of LIMITS) {
    let found = 0;
    for (const _ of text.matchAll(pattern)) {
      found++;
      if (found > most) throw new TremplinError("invalid", `it has too many ${what}`);
    }
  }
  // Pretty errors and the check for duplicate keys are quadratic too; aliases of aliases could fill the memory.
  const options = { uniqueKeys: false, intAsBigInt: true, prettyErrors: false, logLevel: "silent" } as const;
  const document = parseDocument(text, options);
  if (document.errors[0]) throw document.errors[0];
  return document.toJS({ maxAliasCount: 100 });
}

import { parseDocument } from "yaml";
import { TremplinError } from "../../base/tremplin-error.ts";

/**
 * What the parser needs quadratic time for, or ends this process at (a mebibyte of `[` does either), and how much
 * of it a text may have that a program wrote.
 */
const LIMITS: readonly [what: string, pattern: RegExp, most: number][] = [
  ["nested lists and maps", /[[{]/g, 1000],
  ["anchors and aliases", /[&*]/g, 100],
  ["tags", /!/g, 1000],
  ["directives", /^%/gm, 10],
  ["levels of nesting", /^[ \t?:-]{200}/gm, 0],
];

/** Parses YAML that a stranger wrote, of a bounded length, in a time that grows with the length alone. */
export function parseHostileYaml(text: string): unknown {
  for (const [what, pattern, most] of LIMITS) {
    let found = 0;
    for (const _ of text.matchAll(pattern)) {
      found++;
      if (found > most) throw new TremplinError("invalid", `it has too many ${what}`);
    }
  }
  // Pretty errors and the search for repeated keys are quadratic as well; aliases of aliases would fill the memory.
  const options = { uniqueKeys: false, intAsBigInt: true, prettyErrors: false, logLevel: "silent" } as const;
  const document = parseDocument(text, options);
  if (document.errors[0]) throw document.errors[0];
  return document.toJS({ maxAliasCount: 100 });
}

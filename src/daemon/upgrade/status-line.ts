/** What apt says on its status descriptor (APT::Status-Fd, apt's README.progress-reporting). */
export type AptStatus =
  | { readonly kind: "download" | "install"; readonly percent: number; readonly words: string }
  | { readonly kind: "error"; readonly words: string };

/**
 * Reads one line: `dlstatus:…:PERCENT:WORDS`, `pmstatus:PACKAGE:PERCENT:WORDS`, `pmerror:PACKAGE:PERCENT:WORDS`.
 * Undefined for all else, which is a line of output; `nothing` for a status that says nothing to a person.
 */
export function readStatusLine(line: string): AptStatus | "nothing" | undefined {
  const found = /^(dlstatus|pmstatus|pmerror|pmconffile|media-change):([^:]*):([0-9.]{1,20}):(.*)$/.exec(
    line,
  );
  if (!found) return undefined;
  const [, word, subject, number, words = ""] = found;
  if (word === "pmerror") return { kind: "error", words: `${subject}: ${words}` };
  const percent = Math.min(100, Number(number));
  if ((word !== "dlstatus" && word !== "pmstatus") || Number.isNaN(percent)) return "nothing";
  return { kind: word === "dlstatus" ? "download" : "install", percent, words };
}

/** What an apt repository says about itself, in the head of its `InRelease` or `Release` file. Empty: nothing. */
export interface ReleaseFile {
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
}

const FIELDS = ["Origin", "Label", "Suite", "Codename", "Date"] as const;
/** Selects the lines of a Release file that are read, for grep -E. */
export const releaseLines = `^(${FIELDS.join("|")}):`;
const MAX_VALUE_LENGTH = 100;

/**
 * Parses a Release file, signed or not, or those lines of it; the first of several equal fields counts. Undefined for
 * any other text, such as the page of a Wi-Fi login.
 */
export function parseReleaseFile(lines: readonly string[]): ReleaseFile | undefined {
  const values = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (FIELDS.some((field) => field === name) && !values.has(name)) {
      values.set(name, plainValue(line.slice(colon + 1)));
    }
  }
  if (values.size === 0) return undefined;
  const [origin = "", label = "", suite = "", codename = ""] = FIELDS.map((field) => values.get(field));
  return { origin, label, suite, codename };
}

/** The text is a stranger's, and is shown to people. */
function plainValue(text: string): string {
  return text
    .slice(0, MAX_VALUE_LENGTH)
    .replace(/[^\x20-\x7e]/g, " ")
    .trim();
}

import type { Logger } from "../../base/logger.ts";

/** At most this many names in a sentence. */
const MAX_NAMES = 3;
const MAX_NAME_LENGTH = 300;
/** At most this many names in the log. */
const MAX_LOGGED_NAMES = 100;

type Fault = "unreadable" | "partial" | "changed" | "attributes";

const FAULT_TEXTS: Readonly<Record<Fault, string>> = {
  unreadable: "left out",
  partial: "only in part, the rest as zeros",
  changed: "changed while they were read, and perhaps inconsistent",
  attributes: "without some of their attributes",
};

/** What tar says of a file on standard error (LC_ALL=C). The last group is the system's reason. */
const MESSAGES: readonly (readonly [fault: Fault | "harmless", pattern: RegExp])[] = [
  ["harmless", /^tar: \.\/.*: (?:socket|door) ignored$/],
  ["harmless", /^tar: \.\/.*: File removed before we read it$/],
  ["attributes", /^tar: (\.\/?.*): Warning: Cannot \w*(?:xattr|acl)\w*: (.*)$/i],
  ["partial", /^tar: (\.\/.*): Warning: Read error at byte .*: (.*)$/],
  ["partial", /^tar: (\.\/.*): File shrank by \d+ bytes?; padding with zeros$/],
  ["changed", /^tar: (\.\/?.*): file changed as we read it$/],
  ["unreadable", /^tar: (\.\/.*): Warning: Cannot \w+: (.*)$/],
  ["unreadable", /^tar: (\.\/.*): Unknown file type; file ignored$/],
];

const FOREIGN_OWNER = "permission is denied: their owner is outside of the container's ids";
const REASON_TEXTS: Readonly<Record<string, string>> = {
  "Permission denied": FOREIGN_OWNER,
  "Operation not permitted": FOREIGN_OWNER,
  "Input/output error": "their disk fails, see dmesg",
};

/**
 * Collects from tar's messages what is not in a backup as it is in the tree. One file that cannot be read must not cost
 * a person the whole backup, but nothing is left out without a word.
 */
export class LeftOut {
  readonly #found = new Map<Fault, { count: number; names: string[]; reasons: Set<string> }>();
  #harmless = 0;

  /** Whether a line of tar's standard error is such a message. */
  consumeLine(line: string): boolean {
    for (const [fault, pattern] of MESSAGES) {
      const match = pattern.exec(line);
      if (!match) continue;
      if (fault === "harmless") this.#harmless++;
      else this.#add(fault, match[1] ?? "", match[2] ?? "");
      return true;
    }
    return false;
  }

  /** A sentence for people; empty when nothing is missing. */
  remark(): string {
    const parts = [...this.#found].map(([fault, { count, names, reasons }]) => {
      const more = count > MAX_NAMES ? ` and ${count - MAX_NAMES} more` : "";
      const why = reasons.size > 0 ? ` (${[...reasons].join(", ")})` : "";
      const what = count === 1 ? "1 file or folder" : `${count} files or folders`;
      return `${what} ${FAULT_TEXTS[fault]}${why}: ${names.slice(0, MAX_NAMES).join(", ")}${more}`;
    });
    return parts.length === 0 ? "" : `the backup is not complete: ${parts.join("; ")}`;
  }

  report(log: Logger): void {
    if (this.#harmless > 0) {
      log.info({ count: this.#harmless }, "left sockets and vanished files out of the backup");
    }
    for (const [fault, { count, names }] of this.#found) log.warn({ fault, count, names }, this.remark());
  }

  #add(fault: Fault, name: string, reason: string): void {
    const found = this.#found.get(fault) ?? { count: 0, names: [], reasons: new Set() };
    this.#found.set(fault, found);
    found.count++;
    if (found.names.length < MAX_LOGGED_NAMES) found.names.push(name.slice(1, MAX_NAME_LENGTH) || "/");
    if (reason !== "" && found.reasons.size < MAX_NAMES)
      found.reasons.add(REASON_TEXTS[reason] ?? `the system says "${reason}"`);
  }
}

/** At most this many names of attributes in a sentence. */
const MAX_NAMES = 3;

const ATTRIBUTE = /^tar: \w+: Cannot set '(.*?)' extended attribute for file /;
const ACL = /^tar: \w+: Cannot set (?:POSIX )?ACLs? for file /i;
/** A Mac's attributes mean nothing to Linux. */
const OF_MAC = /^(?:user\.)?com\.apple\./;

/** Collects from tar's warnings which attributes of a backup's files a container cannot have. */
export class LostAttributes {
  #count = 0;
  readonly #names = new Set<string>();

  /** Whether a line of tar's standard error is such a warning. */
  consumeLine(line: string): boolean {
    const name = ATTRIBUTE.exec(line)?.[1] ?? (ACL.test(line) ? "ACLs" : undefined);
    if (name === undefined) return false;
    if (OF_MAC.test(name)) return true;
    this.#count++;
    if (this.#names.size < MAX_NAMES) this.#names.add(name.slice(0, 100));
    return true;
  }

  /** A sentence for people; undefined when none was lost. */
  get remark(): string | undefined {
    if (this.#count === 0) return undefined;
    const what = this.#count === 1 ? "1 attribute" : `${this.#count} attributes`;
    return `${what} of files left out, which a container cannot set: ${[...this.#names].join(", ")}`;
  }
}

/** A kernel event of a device that was added, removed or changed. */
export interface Uevent {
  /** `add`, `remove`, `bind`, `change` ... */
  readonly action: string;
  /** Below sysfs, with a leading slash. */
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Parses one kernel message: `ACTION@PATH`, then `KEY=VALUE` items, separated by NULs
 * (docs/contract.md#kernel-events). Skips malformed items. Undefined for a message without a header.
 */
export function parseUevent(message: Buffer): Uevent | undefined {
  const [header = "", ...items] = message.toString("latin1").split("\0");
  const at = header.indexOf("@");
  if (at <= 0) return undefined;
  const pairs = items
    .map((item): [string, string] => [item.slice(0, item.indexOf("=")), item.slice(item.indexOf("=") + 1)])
    .filter(([key], index) => key !== "" && items[index]?.includes("="));
  return { action: header.slice(0, at), path: header.slice(at + 1), values: Object.fromEntries(pairs) };
}

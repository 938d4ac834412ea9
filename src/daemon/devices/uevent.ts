/** What the kernel says of a device that comes, goes or changes. */
export interface Uevent {
  /** `add`, `remove`, `bind`, `change` ... */
  readonly action: string;
  /** Below sysfs, with a slash at its beginning. */
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Reads one message of the kernel: `ACTION@PATH`, then `KEY=VALUE` each, with NULs between (behaviour.md 7.1).
 * Items that are none are skipped. Undefined for a message without a header.
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

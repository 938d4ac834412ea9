const factors: Readonly<Record<string, number>> = {
  ...{ "": 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15, EB: 1e18 },
  ...{ kB: 1e3, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, PiB: 2 ** 50, EiB: 2 ** 60 },
};

/** A size as engines write it in settings; 0 for a share of the machine's memory, and for what is no size. */
export function bytesOf(text: string): number {
  const [, count, unit = ""] = /^(\d+) ?([A-Za-z]*)$/.exec(text) ?? [];
  return Number(count ?? 0) * (factors[unit] ?? 0);
}

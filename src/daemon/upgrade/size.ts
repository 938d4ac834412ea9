const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Parses a number with a unit, as apt prints it and engines accept it, to bytes: "12.3 MB", "10GiB". */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ""] = /^([0-9][0-9.,]{0,20}) ?([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit];
  return number === undefined || factor === undefined
    ? undefined
    : Number(number.replaceAll(",", "")) * factor;
}

/** For people: "1.3 GB". */
export function formatSize(bytes: number): string {
  const [unit, factor] = bytes >= 1e9 ? ["GB", 1e9] : ["MB", 1e6];
  return `${(bytes / factor).toFixed(bytes >= 1e9 ? 1 : 0)} ${unit}`;
}

export interface AptEstimate {
  readonly download: number;
  /** Change of the installed size in bytes; negative if it shrinks. */
  readonly growth: number;
}

/** Parses apt's own estimate from its output, in the format of apt 1 and 2 or of apt 3. */
export function parseEstimate(output: string): AptEstimate | undefined {
  const size = "([0-9.,]+ [kMGT]?B)";
  const sizeAfter = (text: string) => parseSize(new RegExp(`${text} ?${size}`).exec(output)?.[1] ?? "");
  const download = sizeAfter("Need to get") ?? sizeAfter("Download size:");
  if (download === undefined) return undefined;
  const isFreed = / disk space will be freed/.test(output);
  const grown = sizeAfter("After this operation,") ?? sizeAfter("Space needed:") ?? 0;
  return { download, growth: isFreed ? -grown : grown };
}

import { flavors } from "../flavors/flavors.ts";
import type { OperationRecord } from "./operation-record.ts";

export interface UnpackProgress {
  /** 0 to 100. */
  readonly percent: number;
  /** Bytes per second. */
  readonly speed: number;
}

/**
 * The percentage in the progress text of a download (docs/contract.md#engine-progress). The metadata counts as 0,
 * because nearly all of the time goes to the root file system. Undefined for any other text.
 */
export function parseDownloadProgress(text: string): number | undefined {
  const matches = flavors.map(({ texts }) => texts.downloadProgress.exec(text));
  const match = matches.find((found) => found !== null);
  if (!match) return undefined;
  const percent = Number(match[2]);
  if (percent > 100) return undefined;
  return match[1] === "metadata" ? 0 : percent;
}

/** The progress of an operation that downloads an image, in percent; undefined while the engine does not report it. */
export function downloadProgress(operation: OperationRecord): number | undefined {
  const text = operation.metadata?.download_progress;
  return typeof text === "string" ? parseDownloadProgress(text) : undefined;
}

/** The progress of an operation that unpacks an image; undefined while it does something else. */
export function unpackProgress(operation: OperationRecord): UnpackProgress | undefined {
  const progress = operation.metadata?.progress as Readonly<Record<string, unknown>> | undefined | null;
  const stage = String(progress?.stage);
  if (!flavors.some(({ texts }) => texts.unpackStages.includes(stage))) return undefined;
  const percent = unsigned(progress?.percent, 100);
  const speed = unsigned(progress?.speed, Number.MAX_SAFE_INTEGER);
  return percent === undefined || speed === undefined ? undefined : { percent, speed };
}

/** The engine writes these numbers as text. */
function unsigned(value: unknown, most: number): number | undefined {
  if (typeof value !== "string" || !/^\d+$/.test(value)) return undefined;
  return Number(value) <= most ? Number(value) : undefined;
}

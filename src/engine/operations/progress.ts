import type { Operation } from "./operation.ts";

export interface UnpackProgress {
  /** 0 to 100. */
  readonly percent: number;
  /** Bytes per second. */
  readonly speed: number;
}

/**
 * The percentage in a download's progress text, `WORD: N% (SPEED)`; the metadata counts as 0, because the
 * root file system is what takes long (behaviour.md 4.11, 14). Undefined for any other text.
 */
export function parseDownloadProgress(text: string): number | undefined {
  const match = /^(\w+): (\d+)% [A-Za-z0-9 /.()]*$/.exec(text);
  if (!match) return undefined;
  const percent = Number(match[2]);
  if (percent > 100) return undefined;
  return match[1] === "metadata" ? 0 : percent;
}

/** How far an operation that downloads an image has come, in percent; undefined while it does not say. */
export function downloadProgress(operation: Operation): number | undefined {
  const text = operation.metadata?.download_progress;
  return typeof text === "string" ? parseDownloadProgress(text) : undefined;
}

const unpackStages = ["create_container_from_image_unpack", "create_instance_from_image_unpack"];

/** How far an operation that unpacks an image has come (behaviour.md 4.11); undefined while it does not. */
export function unpackProgress(operation: Operation): UnpackProgress | undefined {
  const progress = operation.metadata?.progress as Readonly<Record<string, unknown>> | undefined | null;
  if (!unpackStages.includes(String(progress?.stage))) return undefined;
  const percent = unsigned(progress?.percent, 100);
  const speed = unsigned(progress?.speed, Number.MAX_SAFE_INTEGER);
  return percent === undefined || speed === undefined ? undefined : { percent, speed };
}

/** The engine writes these numbers as text. */
function unsigned(value: unknown, most: number): number | undefined {
  if (typeof value !== "string" || !/^\d+$/.test(value)) return undefined;
  return Number(value) <= most ? Number(value) : undefined;
}

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ContainerUsage } from "../../contract/tremplin/v1/guest_pb.js";

/** What a container used at one time. */
export interface UsagePoint {
  /** In percent of one processor. */
  readonly processor: number;
  readonly memoryBytes: number;
  /** Received and sent together. */
  readonly networkBytesPerSecond: number;
}

/** How many points a chart has. */
export const MAX_POINTS = 60;

interface Series {
  last: ContainerUsage;
  points: readonly UsagePoint[];
}

/** The newest measurements of each container. */
export class UsageHistory {
  readonly #series = new Map<string, Series>();

  /** The points of a container, the oldest first. */
  pointsOf(key: string): readonly UsagePoint[] {
    return this.#series.get(key)?.points ?? [];
  }

  /** Adds the measurements of all containers that run; those of the others are forgotten. */
  add(measured: ReadonlyMap<string, ContainerUsage>): void {
    for (const key of this.#series.keys()) if (!measured.has(key)) this.#series.delete(key);
    for (const [key, usage] of measured) {
      const series = this.#series.get(key);
      const point = series && pointBetween(series.last, usage);
      // A container that was started again counts from zero.
      if (!series || point === "restarted") this.#series.set(key, { last: usage, points: [] });
      else if (point)
        this.#series.set(key, { last: usage, points: [...series.points, point].slice(-MAX_POINTS) });
    }
  }
}

/** Undefined where no time has passed. */
function pointBetween(before: ContainerUsage, after: ContainerUsage): UsagePoint | "restarted" | undefined {
  const milliseconds = timeOf(after) - timeOf(before);
  if (milliseconds <= 0) return undefined;
  const nanoseconds = Number(after.cpuNanoseconds - before.cpuNanoseconds);
  const bytes = Number(after.receivedBytes + after.sentBytes - before.receivedBytes - before.sentBytes);
  if (nanoseconds < 0 || bytes < 0) return "restarted";
  return {
    processor: nanoseconds / milliseconds / 10_000,
    memoryBytes: Number(after.memoryBytes),
    networkBytesPerSecond: (bytes * 1000) / milliseconds,
  };
}

function timeOf({ measuredAt }: ContainerUsage): number {
  return measuredAt ? timestampMs(measuredAt) : 0;
}

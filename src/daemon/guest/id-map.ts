import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { TremplinError } from "../../base/tremplin-error.ts";

/** Maps `count` ids of a container from `containerId` on to ids of the machine from `hostId` on. */
export interface IdRange {
  readonly containerId: number;
  readonly hostId: number;
  readonly count: number;
}

/**
 * Maps users and groups of a container to those of the machine. Sorted by container id, without overlaps, adjacent
 * ranges joined, so that maps with the same meaning are equal. Both empty: ids are not shifted.
 */
export interface IdMap {
  readonly uid: readonly IdRange[];
  readonly gid: readonly IdRange[];
}

const id = z.int().min(0).max(0xffffffff);
const entries = z.array(
  z.object({
    Isuid: z.boolean(),
    Isgid: z.boolean(),
    Hostid: id,
    Nsid: id,
    Maprange: z
      .int()
      .min(0)
      .max(2 ** 32),
  }),
);

/**
 * Parses `volatile.last_state.idmap` and similar keys (docs/engines.md#id-maps): entries for users, groups or both,
 * in any order, possibly repeated. Throws `failed` for anything else, and for a map that is ambiguous.
 */
export function parseIdMap(text: string): IdMap {
  try {
    const map = entries.parse(JSON.parse(text));
    const ranges = map.map((entry) => ({
      ...entry,
      range: { containerId: entry.Nsid, hostId: entry.Hostid, count: entry.Maprange },
    }));
    return {
      uid: normalize(ranges.filter((entry) => entry.Isuid).map((entry) => entry.range)),
      gid: normalize(ranges.filter((entry) => entry.Isgid).map((entry) => entry.range)),
    };
  } catch (error) {
    throw new TremplinError("failed", "cannot parse the id map that the engine has for the container", error);
  }
}

/** Whether both map every id in the same way. */
export function isSameIdMap(one: IdMap, other: IdMap): boolean {
  return isDeepStrictEqual(one, other);
}

/** The id outside the container; undefined if the container cannot have that id. */
export function toHostId(map: IdMap, kind: keyof IdMap, containerId: number): number | undefined {
  if (isUnshifted(map)) return containerId;
  const range = map[kind].find((each) => isWithin(each.containerId, each.count, containerId));
  return range && range.hostId + (containerId - range.containerId);
}

/** The id inside the container; undefined if the container does not have that id. */
export function toContainerId(map: IdMap, kind: keyof IdMap, hostId: number): number | undefined {
  if (isUnshifted(map)) return hostId;
  const range = map[kind].find((each) => isWithin(each.hostId, each.count, hostId));
  return range && range.containerId + (hostId - range.hostId);
}

function isUnshifted(map: IdMap): boolean {
  return map.uid.length === 0 && map.gid.length === 0;
}

function isWithin(start: number, count: number, wanted: number): boolean {
  return wanted >= start && wanted < start + count;
}

function normalize(ranges: readonly IdRange[]): IdRange[] {
  const joined: IdRange[] = [];
  for (const range of ranges.filter(({ count }) => count > 0).sort((a, b) => a.containerId - b.containerId)) {
    const before = joined.at(-1);
    const offset = before && range.containerId - before.containerId;
    if (before && offset !== undefined && offset <= before.count && range.hostId === before.hostId + offset) {
      joined[joined.length - 1] = { ...before, count: Math.max(before.count, offset + range.count) };
    } else joined.push(range);
  }
  checkNoOverlap(joined.map(({ containerId, count }) => [containerId, count]));
  checkNoOverlap(joined.map(({ hostId, count }) => [hostId, count]));
  return joined;
}

function checkNoOverlap(spans: [start: number, count: number][]): void {
  spans.sort(([a], [b]) => a - b);
  for (const [index, [start, count]] of spans.entries()) {
    const next = spans[index + 1];
    if (next && next[0] < start + count)
      throw new TremplinError("failed", `the id ${next[0]} is mapped twice`);
  }
}

import type { DatabaseSync } from "node:sqlite";

/** An operation of a guest, as its notices reported it. Times are milliseconds since 1970. */
export interface PastOperation {
  readonly guest: string;
  /** As the guest gave it; made up by the host for a guest that sends none. */
  readonly id: string;
  /** The name of its notices in Event, such as `export`. */
  readonly kind: string;
  /** Empty for the start of the engine. */
  readonly container: string;
  /** The first notice. */
  readonly begun: number;
  /** The newest notice. */
  readonly updated: number;
  /** The final notice; undefined while it is under way. */
  readonly ended: number | undefined;
  readonly state: "going" | "done" | "failed";
  readonly percent: number | undefined;
  /** What the newest notice says, with the reason of a failure. */
  readonly text: string;
}

export interface HistoryFilter {
  readonly guest?: string | undefined;
  readonly container?: string | undefined;
  /** Only operations with a notice since then. Milliseconds since 1970. */
  readonly since?: number | undefined;
  /** Only those under way. */
  readonly underWay?: boolean | undefined;
  readonly limit: number;
}

/** The operations that match, the newest last. */
export function pastOperations(database: DatabaseSync, filter: HistoryFilter): PastOperation[] {
  const { guest = null, container = null, since = 0, underWay = false, limit } = filter;
  const rows = database
    .prepare(
      `SELECT * FROM operation
       WHERE (?1 IS NULL OR guest = ?1) AND (?2 IS NULL OR container = ?2) AND updated >= ?3
         AND (?4 = 0 OR ended IS NULL)
       ORDER BY sequence DESC LIMIT ?5`,
    )
    .all(guest, container, since, underWay ? 1 : 0, limit);
  return rows.reverse().map((row) => ({
    guest: `${row.guest}`,
    id: `${row.id}`,
    kind: `${row.kind}`,
    container: `${row.container}`,
    begun: Number(row.begun),
    updated: Number(row.updated),
    ended: row.ended === null ? undefined : Number(row.ended),
    state: row.state as PastOperation["state"],
    percent: row.percent === null ? undefined : Number(row.percent),
    text: `${row.text}`,
  }));
}

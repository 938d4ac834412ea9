import { readdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";

/** Why an engine cannot open its database, by the end of its log. */
export interface DatabaseFault {
  /** What is wrong and what to do. */
  readonly sentence: string;
  /** Whether a database reset fixes it. */
  readonly isFixedByReset: boolean;
}

export const BROKEN_DATABASE = "the engine's database is broken";
const MIB = 1024 ** 2;
/** The log of an engine's database grows by files of 8 MiB, and the engine creates some of them ahead of use. */
const MIN_FREE_BYTES = 32 * MIB;
/** An engine that works is ready within this time, or its log names another fault than this one. */
const STUCK_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 1_000;

const faults: readonly (DatabaseFault & { readonly pattern: RegExp })[] = [
  {
    pattern: /no space left on device|not enough space|disk is full|disk quota exceeded|ENOSPC/i,
    isFixedByReset: false,
    sentence:
      "there is no space left for the engine's database: make room on the file system of the state folder and try again",
  },
  {
    pattern: /read-only file system|readonly database/i,
    isFixedByReset: false,
    sentence:
      "the engine's database cannot be written because its file system is read-only: look at the kernel's messages (dmesg), have the file system checked and try again",
  },
  {
    pattern: /permission denied|operation not permitted|authorization denied/i,
    isFixedByReset: false,
    sentence:
      "the engine may not open its database: see who owns the files below the state folder, and whether the daemon runs as root",
  },
  {
    pattern: /input\/output error|disk I\/O error/i,
    isFixedByReset: false,
    sentence:
      "the disk of the engine's database cannot be read: it may be failing; look at the kernel's messages (dmesg) and save what is on it first",
  },
  {
    pattern: /missing updates: \d+ to \d+|schema version .* is more recent|version is (behind|more recent)/i,
    isFixedByReset: false,
    sentence:
      "the engine's database was written by a newer engine than this one: install that version again (databases only go forward)",
  },
  {
    pattern:
      /file is not a database|database disk image is malformed|file is encrypted|raft_start\(\)|raft_bootstrap\(\)|load (closed|open) segment|snapshot.*(corrupt|checksum)/i,
    isFixedByReset: true,
    sentence: BROKEN_DATABASE,
  },
];

/** The lines that an engine writes when it exits, not the warnings of every start. */
const FATAL = /^Error: |level=error|level=fatal|^panic: /;

/** Finds the fault in the end of an engine's log; undefined when the log is about something else than the database. */
export function findDatabaseFault(logTail: string): DatabaseFault | undefined {
  const fatal = logTail
    .split("\n")
    .filter((line) => FATAL.test(line))
    .join("\n");
  const found = faults.find(({ pattern }) => pattern.test(fatal));
  return found && { sentence: found.sentence, isFixedByReset: found.isFixedByReset };
}

/**
 * Throws `failed` when there is no space for the engine's database. An engine starts nevertheless then, calls itself
 * ready, and fails at the first request that changes anything.
 */
export async function checkDatabaseSpace(engineFolder: string): Promise<void> {
  const state = dirname(engineFolder);
  const { bavail, bsize } = await statfs(state);
  const free = bavail * bsize;
  if (free >= MIN_FREE_BYTES) return;
  throw new TremplinError(
    "failed",
    `there is no space left for the engine's database: ${Math.floor(free / MIB)} MiB are free where ${state} lies, and it needs ${MIN_FREE_BYTES / MIB}; make room there and try again`,
  );
}

interface StartingEngine {
  readonly folder: string;
  readonly layout: EngineLayout;
  readonly logTail: () => Promise<string>;
}

/**
 * Resolves once an engine that starts waits forever for a broken database; else never. Rejects when `signal` aborts.
 * After a power loss its database layer (dqlite) renames what it cannot read to `corrupt-...` and then finds no leader
 * for the rest: the engine neither works nor exits.
 */
export async function waitUntilStuckOnDatabase(
  engine: StartingEngine,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const begin = clock.elapsed();
  for (;;) {
    await clock.sleep(POLL_INTERVAL_MS, signal);
    if (clock.elapsed() - begin < STUCK_TIMEOUT_MS) continue;
    const names = await readdir(join(engine.folder, engine.layout.globalDatabase)).catch((): string[] => []);
    const isCorrupt = names.some((name) => name.startsWith("corrupt-"));
    if (isCorrupt && /no known leader/.test(await engine.logTail())) return;
  }
}

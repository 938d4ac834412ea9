/** Why an engine cannot open its database, as far as its last words tell. */
export interface DatabaseFault {
  /** What is wrong and what to do. */
  readonly sentence: string;
  /** Whether a new database, with the containers brought back into it, puts it right. */
  readonly heals: boolean;
}

export const BROKEN = "the engine's database is broken";

const faults: readonly (DatabaseFault & { readonly pattern: RegExp })[] = [
  {
    pattern: /no space left on device|not enough space|disk is full|disk quota exceeded|ENOSPC/i,
    heals: false,
    sentence:
      "there is no space left for the engine's database: make room on the file system of the state folder and try again",
  },
  {
    pattern: /read-only file system|readonly database/i,
    heals: false,
    sentence:
      "the engine's database cannot be written because its file system is read-only: look at the kernel's messages (dmesg), have the file system checked and try again",
  },
  {
    pattern: /permission denied|operation not permitted|authorization denied/i,
    heals: false,
    sentence:
      "the engine may not open its database: see who owns the files below the state folder, and whether the daemon runs as root",
  },
  {
    pattern: /input\/output error|disk I\/O error/i,
    heals: false,
    sentence:
      "the disk of the engine's database cannot be read: it may be failing; look at the kernel's messages (dmesg) and save what is on it first",
  },
  {
    pattern: /missing updates: \d+ to \d+|schema version .* is more recent|version is (behind|more recent)/i,
    heals: false,
    sentence:
      "the engine's database was written by a newer engine than this one: install that version again (databases only go forward)",
  },
  {
    pattern:
      /file is not a database|database disk image is malformed|file is encrypted|raft_start\(\)|raft_bootstrap\(\)|load (closed|open) segment|snapshot.*(corrupt|checksum)/i,
    heals: true,
    sentence: BROKEN,
  },
];

/** What an engine says when it ends, not the warnings of every start. */
const FATAL = /^Error: |level=error|level=fatal|^panic: /;

/** Reads an engine's last words; undefined when they speak of something else than its database. */
export function findDatabaseFault(lastWords: string): DatabaseFault | undefined {
  const fatal = lastWords
    .split("\n")
    .filter((line) => FATAL.test(line))
    .join("\n");
  const found = faults.find(({ pattern }) => pattern.test(fatal));
  return found && { sentence: found.sentence, heals: found.heals };
}

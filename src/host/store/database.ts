import { readdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeOwnFolder } from "../../base/files/own-folder.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** Marks the file as ours (https://www.sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x54524d50;
/** Of the schema. A new version adds its changes to `prepareSchema`. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE event (
    sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, guest TEXT NOT NULL, container TEXT NOT NULL,
    final INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX event_by_place ON event (guest, final, container, sequence);
  CREATE INDEX event_by_guest ON event (guest, final, sequence);
  CREATE INDEX event_by_time ON event (time);
  CREATE TABLE notice (guest TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (guest, id))
    STRICT, WITHOUT ROWID;
  CREATE INDEX notice_by_age ON notice (guest, sequence);
  CREATE TABLE dropped (guest TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE operation (
    guest TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, container TEXT NOT NULL, begun INTEGER NOT NULL,
    updated INTEGER NOT NULL, ended INTEGER, state TEXT NOT NULL, percent INTEGER, text TEXT NOT NULL,
    sequence INTEGER NOT NULL, PRIMARY KEY (guest, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX operation_by_sequence ON operation (sequence);
  CREATE INDEX operation_under_way ON operation (guest, kind, container, sequence) WHERE ended IS NULL;
  CREATE TABLE container (
    guest TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, ports TEXT NOT NULL,
    PRIMARY KEY (guest, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE guest (name TEXT PRIMARY KEY, ready INTEGER, updated INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Tables that older versions of the same format do without. */
const ADDITIONS = `
  CREATE TABLE IF NOT EXISTS reading (guest TEXT PRIMARY KEY, time INTEGER NOT NULL, body BLOB NOT NULL)
    STRICT, WITHOUT ROWID;
`;

/** SQLITE_CORRUPT and SQLITE_NOTADB (https://www.sqlite.org/rescode.html). */
const DAMAGED = new Set([11, 26]);

/** Whether an error of the database says that its file is damaged. */
export function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && DAMAGED.has(errcode & 0xff);
}

/** The database in its folder. */
export function databaseFile(folder: string): string {
  return join(folder, "host.db");
}

const SET_ASIDE = ".set-aside-";

/** Whether a database of that folder was ever set aside: also by a host that was killed before it made another one. */
export async function wasReplaced(folder: string): Promise<boolean> {
  const prefix = `${basename(folder)}${SET_ASIDE}`;
  return (await readdir(dirname(folder))).some((name) => name.startsWith(prefix));
}

/**
 * Opens the database in a folder of its own, or creates both. A damaged file, one of another program, and one of a later
 * version are set aside: kept under another name, with a warning in the log. Throws `failed` when the file cannot be
 * opened for another reason.
 */
export async function openDatabase(folder: string, now: number, log: Logger): Promise<DatabaseSync> {
  await makeOwnFolder(folder);
  const path = databaseFile(folder);
  try {
    return open(path);
  } catch (error) {
    const problem = error instanceof ForeignDatabase ? error.message : "it is damaged";
    if (!(error instanceof ForeignDatabase || isDamage(error))) {
      throw new TremplinError(
        "failed",
        `cannot open the database ${path}: ${(error as Error).message}`,
        error,
      );
    }
    const setAside = `${folder}${SET_ASIDE}${now}`;
    // The folder, because the database has several files.
    await rename(folder, setAside);
    log.warn({ database: path, kept: setAside }, `the database was replaced by a new one: ${problem}`);
    await makeOwnFolder(folder);
    return open(path);
  }
}

class ForeignDatabase extends Error {}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // A commit writes the log and does not wait for the disk: EventStore does, without blocking the process.
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216",
    );
    prepareSchema(database);
    const [check] = database.prepare("PRAGMA quick_check(1)").all();
    if (check?.quick_check !== "ok") throw new ForeignDatabase("it is damaged");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Does all that `act` writes, or nothing of it if it throws. */
export function inTransaction(database: DatabaseSync, act: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    act();
    database.exec("COMMIT");
  } catch (error) {
    // Some errors have rolled it back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function prepareSchema(database: DatabaseSync): void {
  const version = numberOf(database, "user_version");
  const isOurs = numberOf(database, "application_id") === APPLICATION_ID;
  const isEmpty = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count === 0;
  if (isEmpty) {
    database.exec(
      `BEGIN; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
    );
  } else if (!isOurs) {
    throw new ForeignDatabase("it belongs to another program");
  } else if (version > SCHEMA_VERSION) {
    throw new ForeignDatabase(`a later version of tremplin wrote it (its format is ${version})`);
  }
  database.exec(ADDITIONS);
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
}

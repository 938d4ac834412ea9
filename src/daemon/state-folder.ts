import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { replaceFile, textOfFile } from "../base/files/files.ts";
import { type ErrorLog, setAside } from "../base/files/json-file.ts";
import { makeOwnFolder } from "../base/files/own-folder.ts";

/** The layout of the folder --state (docs/architecture.md#file-layout). */
export interface StateFolder {
  readonly path: string;
  /** Locked while a daemon works in the folder. */
  readonly lock: string;
  /** Operations under way, and final notices that the host has not answered. */
  readonly journal: string;
  /** Final notices that the host rejected, see RejectedNotices. */
  readonly rejected: string;
  /** Which containers run, see ContainerStopWatcher. */
  readonly running: string;
  /** Which containers have which USB ports, see UsbAssignments. */
  readonly usb: string;
  /** What is shared with containers, see ShareRecords. */
  readonly shareRecords: string;
  /** Where shared folders are mounted, see ShareMounts. */
  readonly shareMounts: string;
  /** Identifies the daemon, the same at each start. */
  readonly daemonId: string;
}

/** Goes into call metadata, which takes no other bytes. */
const ID = /^[0-9A-Za-z-]{8,64}$/;

/**
 * Creates the folder if it is missing. Its mode 0711 lets others reach the engine's files but not list it. Throws
 * `invalid` for one that other users could change.
 */
export async function openStateFolder(path: string, log: ErrorLog): Promise<StateFolder> {
  await makeOwnFolder(path, 0o711);
  return {
    path,
    lock: join(path, "lock"),
    journal: join(path, "journal"),
    rejected: join(path, "refused"),
    running: join(path, "running.json"),
    usb: join(path, "usb.json"),
    shareRecords: join(path, "shares.json"),
    shareMounts: join(path, "shares"),
    daemonId: await readDaemonId(join(path, "daemon-id"), log),
  };
}

async function readDaemonId(path: string, log: ErrorLog): Promise<string> {
  // A read error must not lead to a new id: hosts would take this for another guest.
  const found = (await textOfFile(path))?.trim();
  if (found && ID.test(found)) return found;
  if (found !== undefined)
    await setAside(path, "it is no id; hosts take this daemon for another one, under a new id", log);
  const id = randomUUID();
  await replaceFile(path, `${id}\n`);
  return id;
}

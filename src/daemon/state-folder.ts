import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, textOfFile } from "../base/files/files.ts";

/** What lies where under --state. */
export interface StateFolder {
  readonly path: string;
  /** Operations under way and final notices that the host has not taken. */
  readonly journal: string;
  /** Final notices that the host refused, see RefusedNotices. */
  readonly refused: string;
  /** Which containers run, see Shutdowns. */
  readonly running: string;
  /** Which containers have which USB ports, see UsbRecord. */
  readonly usb: string;
  /** Who this daemon is, the same at each start. */
  readonly daemonId: string;
}

/** Makes the folder where it is missing: others may pass through to the engine's files but not look in. */
export async function openStateFolder(path: string): Promise<StateFolder> {
  await mkdir(path, { recursive: true, mode: 0o711 });
  return {
    path,
    journal: join(path, "journal"),
    refused: join(path, "refused"),
    running: join(path, "running.json"),
    usb: join(path, "usb.json"),
    daemonId: await readDaemonId(join(path, "daemon-id")),
  };
}

async function readDaemonId(path: string): Promise<string> {
  // What cannot be read is not nothing: another id would make hosts take this for another guest.
  const found = (await textOfFile(path))?.trim();
  if (found) return found;
  const id = randomUUID();
  await replaceFile(path, `${id}\n`);
  return id;
}

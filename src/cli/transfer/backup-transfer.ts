import { constants, type FileHandle, open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { bytesOfFile } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { bytesText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { HostApi } from "../host-client/host-api.ts";
import type { Session } from "../host-client/session.ts";
import type { TargetFile } from "./target-file.ts";

const CALL_TIMEOUT_MS = 30_000;

/** Writes what the guest has at `path` to a file of the caller. Throws unless that is the whole file. */
export async function fetchBackup(path: string, target: TargetFile, session: Session): Promise<void> {
  const { api, io, progress } = session;
  let bytes = 0;
  let total = 0n;
  const settings = { signal: io.interrupted };
  for await (const { data, totalBytes } of api.stream(Guest.method.readTransfer, { path }, settings)) {
    await target.write(data);
    bytes += data.length;
    total = totalBytes;
    const of = `${bytesText(bytes)} of ${bytesText(totalBytes)}`;
    progress.update(`fetching the backup, ${of}`, share(bytes, Number(totalBytes)), bytes);
  }
  if (BigInt(bytes) === total) return;
  const part = `${bytes} of its ${total} bytes arrived`;
  throw new TremplinError("failed", `the backup is not complete: ${part}; export it again`);
}

/** Opens a backup of the caller. Throws `invalid` with a sentence if it is no file that can be read. */
export async function openBackup(file: string): Promise<FileHandle> {
  const path = resolve(file);
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const opened = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error) => {
    throw new TremplinError("invalid", `cannot read ${path}: ${systemErrorText(error)}`, error);
  });
  if ((await opened.stat()).isFile()) return opened;
  await opened.close();
  throw new TremplinError("invalid", `${path} is not a regular file`);
}

/** Sends a backup of the caller to the guest. Returns its path there. */
export async function sendBackup(file: FileHandle, name: string, session: Session): Promise<string> {
  const { api, io, progress } = session;
  const { size } = await file.stat();
  const inputs = async function* () {
    yield { input: { case: "fileName" as const, value: basename(name) } };
    let sent = 0;
    for await (const value of bytesOfFile(file)) {
      yield { input: { case: "data" as const, value } };
      sent += value.length;
    }
    if (sent !== size) {
      const sentence = `${name} changed while it was sent: import it again once it is complete`;
      throw new TremplinError("failed", sentence);
    }
    yield { input: { case: "done" as const, value: true } };
  };
  const settings = { signal: io.interrupted };
  for await (const { receivedBytes, path } of api.bidiStream(
    Guest.method.writeTransfer,
    inputs(),
    settings,
  )) {
    if (path) return path;
    const bytes = Number(receivedBytes);
    const of = `${bytesText(bytes)} of ${bytesText(size)}`;
    progress.update(`sending the backup, ${of}`, share(bytes, size), bytes);
  }
  throw new TremplinError("failed", "the guest ended the transfer without the path of the backup");
}

/** Removes what the guest keeps of a transfer; it does so by itself after a day. */
export async function removeTransfer(api: HostApi, path: string): Promise<void> {
  await api.call(Guest.method.removeTransfer, { path }, { timeout: CALL_TIMEOUT_MS }).catch(() => undefined);
}

function share(bytes: number, total: number): number {
  return total > 0 ? Math.floor((100 * bytes) / total) : 100;
}

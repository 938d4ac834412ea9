import { once } from "node:events";
import { bytesText } from "../../../base/text.ts";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import {
  type DownloadBackupRequest,
  BackupTransfer_Phase as Phase,
} from "../../../contract/tremplin/v1/host_pb.js";
import { ExportContainerResponse_Status as Export } from "../../../contract/tremplin_pb.js";
import type { Exchange } from "./exchanges.ts";
import { GuestFiles } from "./guest-files.ts";
import { runGuestOperation } from "./guest-operation.ts";
import { contentDisposition, safeFileName } from "./safe-file-name.ts";
import type { Transfer } from "./transfer.ts";
import type { TransferDeps } from "./transfer-deps.ts";

/** Packs a backup in the guest, and sends it to a browser. Whatever ends this, the guest keeps nothing of it. */
export async function downloadBackup(
  { containerName, fileName }: DownloadBackupRequest,
  transfer: Transfer,
  { guest, exchanges, events, shutdownSignal }: TransferDeps,
): Promise<void> {
  const { signal } = transfer;
  const name = safeFileName(fileName || containerName);
  transfer.enter(Phase.PACKING);
  using files = new GuestFiles(guest);
  const path = await files.create(name, signal);
  await using _file = files.removing(path);
  const inProgressContainerName = containerName;
  const spec = {
    guest: guest.name,
    async begin(options: object) {
      const request = { containerName, exportPath: path };
      const { status, failureReason } = await files.tremplin.exportContainer(request, options);
      if (status !== Export.EXPORTING) throw new TremplinError("failed", failureReason);
    },
    cancel: (options: object) => files.tremplin.cancelExportContainer({ inProgressContainerName }, options),
    onBegun: (operation: string) => transfer.enter(Phase.PACKING, { operation }),
  };
  await runGuestOperation(spec, { events, signal, shutdownSignal });
  const exchange = await exchanges.open("GET", transfer, Phase.SAVING);
  // Browsers go on with a download when the page is closed.
  transfer.goesOnAlone = true;
  await sendFile(path, name, files, exchange, transfer);
  transfer.enter(Phase.DONE);
}

async function sendFile(
  path: string,
  name: string,
  files: GuestFiles,
  { response }: Exchange,
  transfer: Transfer,
): Promise<void> {
  const gone = new AbortController();
  let sent = 0n;
  let total = 0n;
  const onClose = (): void => {
    const part = `${bytesText(sent)} of ${bytesText(total)}`;
    const sentence = `the browser ended the download after ${part}, and the backup was removed; begin again`;
    gone.abort(new TremplinError("cancelled", sentence));
  };
  response.once("close", onClose);
  const signal = AbortSignal.any([transfer.signal, gone.signal]);
  try {
    signal.throwIfAborted();
    for await (const { data, totalBytes } of files.read(path, { signal })) {
      if (!response.headersSent) total = totalBytes;
      // A browser would take what comes after the announced size for the answer to its next request.
      if (totalBytes !== total || sent + BigInt(data.length) > total) {
        throw new TremplinError("failed", "the backup changed in the guest while it was sent; begin again");
      }
      if (!response.headersSent) begin(response, name, total);
      if (data.length > 0 && !response.write(data)) await once(response, "drain", { signal });
      sent += BigInt(data.length);
      transfer.count(sent, total);
      // The browser closes the connection when it has all, so nothing may be waited for.
      if (sent === total) break;
    }
    if (sent !== total) {
      const sentence = `only ${bytesText(sent)} of ${bytesText(total)} came from the guest; begin again`;
      throw new TremplinError("failed", sentence);
    }
    response.off("close", onClose);
    response.end();
  } catch (error) {
    const reason = signal.aborted ? signal.reason : error;
    response.off("close", onClose);
    if (response.headersSent) response.destroy();
    else refuse(response, errorMessage(reason));
    throw reason;
  }
}

/** The headers that secure all answers of the console are there already: among them, that no type is guessed. */
function begin(response: Exchange["response"], name: string, total: bigint): void {
  response.statusCode = 200;
  response.setHeader("content-type", "application/octet-stream");
  response.setHeader("content-disposition", contentDisposition(name));
  response.setHeader("content-length", String(total));
  response.setHeader("cache-control", "no-store");
  response.flushHeaders();
}

function refuse(response: Exchange["response"], sentence: string): void {
  response.statusCode = 502;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${sentence}\n`);
}

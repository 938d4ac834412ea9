import { checkContainerName } from "../../../base/container-name.ts";
import { bytesText } from "../../../base/text.ts";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import {
  BackupTransfer_Phase as Phase,
  type UploadBackupRequest,
} from "../../../contract/tremplin/v1/host_pb.js";
import { ImportContainerResponse_Status as Import } from "../../../contract/tremplin_pb.js";
import type { Exchange } from "./exchanges.ts";
import { explainAbsence, GuestFiles } from "./guest-files.ts";
import { runGuestOperation } from "./guest-operation.ts";
import { safeFileName } from "./safe-file-name.ts";
import type { Transfer } from "./transfer.ts";
import type { TransferDeps } from "./transfer-deps.ts";

/** For a browser to read why its upload was refused, before the connection is closed. */
const LINGER_MS = 5_000;

/** Receives a backup from a browser, and makes a container from it. Whatever ends this, the guest keeps no file of it. */
export async function uploadBackup(
  request: UploadBackupRequest,
  transfer: Transfer,
  { guest, exchanges, events, shutdownSignal }: TransferDeps,
): Promise<void> {
  const { containerName, totalBytes, replace } = request;
  const { signal } = transfer;
  checkContainerName(containerName);
  if (totalBytes === 0n) throw new TremplinError("invalid", "the file is empty; choose another one");
  using files = new GuestFiles(guest);
  if (!replace) await files.assertFree(containerName, signal);
  const exchange = await exchanges.open("PUT", transfer, Phase.SENDING);
  const path = await receiveFile(request, files, exchange, transfer);
  await using _file = files.removing(path);
  // Meanwhile somebody may have created one.
  if (!replace) await files.assertFree(containerName, signal);
  const inProgressContainerName = containerName;
  const spec = {
    guest: guest.name,
    async begin(options: object) {
      const { status, failureReason } = await files.tremplin.importContainer(
        { containerName, importPath: path },
        options,
      );
      if (status !== Import.IMPORTING) throw new TremplinError("failed", failureReason);
      transfer.goesOnAlone = true;
    },
    cancel: (options: object) => files.tremplin.cancelImportContainer({ inProgressContainerName }, options),
    onBegun: (operation: string) => transfer.enter(Phase.IMPORTING, { operation }),
  };
  await runGuestOperation(spec, { events, signal, shutdownSignal });
  transfer.enter(Phase.DONE);
}

/** Sends what a browser sends on to the guest. Returns the path there. */
async function receiveFile(
  { fileName, totalBytes }: UploadBackupRequest,
  files: GuestFiles,
  { request, response }: Exchange,
  transfer: Transfer,
): Promise<string> {
  let fault: unknown;
  const noteFault = async function* () {
    try {
      yield* inputs(safeFileName(fileName), request, totalBytes);
    } catch (error) {
      fault = error;
      throw error;
    }
  };
  try {
    for await (const { receivedBytes, path } of files.write(noteFault(), { signal: transfer.signal })) {
      if (path) {
        response.statusCode = 204;
        response.end();
        return path;
      }
      transfer.count(receivedBytes, totalBytes);
    }
    throw new TremplinError("failed", "the guest ended the upload before the file was whole; send it again");
  } catch (thrown) {
    const { signal } = transfer;
    const error = signal.aborted ? signal.reason : (fault ?? explainAbsence(thrown));
    refuse({ request, response }, errorMessage(error));
    throw error;
  }
}

async function* inputs(name: string, request: Exchange["request"], totalBytes: bigint) {
  yield { input: { case: "fileName" as const, value: name }, totalBytes };
  let sent = 0n;
  for await (const value of bytesOf(request, () => `${bytesText(sent)} of ${bytesText(totalBytes)}`)) {
    sent += BigInt(value.length);
    if (sent > totalBytes) break;
    yield { input: { case: "data" as const, value } };
  }
  if (sent !== totalBytes) {
    const sentence = "the file has another size than the browser said: it changed meanwhile; send it again";
    throw new TremplinError("invalid", sentence);
  }
  yield { input: { case: "done" as const, value: true } };
}

async function* bytesOf(request: Exchange["request"], part: () => string): AsyncGenerator<Buffer> {
  try {
    // Destroying it would close the connection before the answer.
    yield* request.iterator({ destroyOnReturn: false });
  } catch (error) {
    const sentence = `the upload broke off after ${part()}, and nothing of it was kept; send it again`;
    throw new TremplinError("cancelled", sentence, error);
  }
}

function refuse({ request, response }: Exchange, sentence: string): void {
  // What the browser still sends is not wanted.
  if (!request.complete) setTimeout(() => request.destroy(), LINGER_MS).unref();
  response.statusCode = 400;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${sentence}\n`);
}

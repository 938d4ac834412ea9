import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import {
  CancelImportContainerResponse_Status as Cancelled,
  GetContainerInfoResponse_Status as Info,
  ImportContainerResponse_Status as Status,
  Tremplin,
} from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { cancelOperation } from "../host-client/cancel-operation.ts";
import { existsError, lookForContainer } from "../host-client/create-container.ts";
import { type CallSettings, HostApi } from "../host-client/host-api.ts";
import { plainReason } from "../host-client/plain-reason.ts";
import { type OperationSpec, type Reply, runOperation } from "../host-client/run-operation.ts";
import { runAndReport, type Session, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { openBackup, removeTransfer, sendBackup } from "../transfer/backup-transfer.ts";
import { confirm } from "./confirm.ts";

interface Flags extends HostFlags {
  readonly yes?: true;
  readonly shared?: true;
  readonly detach?: true;
  readonly cancel?: true;
}

export function importCommand(io: Io): Command {
  const command = new Command("import")
    .argument("<name>", "the container; an existing one is replaced, with its snapshots", containerName)
    .argument("[file]", "the backup")
    .option("--shared", "the backup is in the guest's shared folder")
    .option("--yes", "do not ask before replacing a container")
    .option("--detach", "return as soon as the import from the guest's shared folder has begun")
    .option("--cancel", "cancel a running import");
  return withHostFlags(command, "operation").action(
    async (container: string, file: string | undefined, flags: Flags) => {
      if (flags.cancel) return await cancelImport(container, flags, io);
      if (!file) throw new TremplinError("invalid", "which backup? tremplin import NAME FILE");
      if (flags.shared || flags.detach) return await importShared(container, file, flags, io);
      return await importOwn(container, file, flags, io);
    },
  );
}

async function importShared(container: string, file: string, flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  if (!flags.yes) await confirmReplacing(api, container, io);
  await runAndReport(specOf(container, file, flags), flags, io);
}

/** Sends the file to the guest first. */
async function importOwn(container: string, file: string, flags: Flags, io: Io): Promise<void> {
  await using backup = await openBackup(file);
  using api = HostApi.open(flags);
  const confirmed = flags.yes ? undefined : await confirmReplacing(api, container, io);
  const title = `importing ${container}`;
  const path = await withSession(title, flags, io, (session) => sendBackup(backup, file, session));
  try {
    // Meanwhile somebody may have created one.
    if (!flags.yes) await confirmReplacing(api, container, io, confirmed);
    await runAndReport(specOf(container, path, flags), flags, io);
  } finally {
    await removeTransfer(api, path);
  }
}

/** Makes a container from a backup of this computer; never replaces one. */
export async function importNew(container: string, file: string, session: Session): Promise<void> {
  await using backup = await openBackup(file);
  const path = await sendBackup(backup, file, session);
  try {
    // Meanwhile somebody may have created one.
    const found = await lookForContainer(session, container);
    if (found) throw existsError(container, found.image);
    await runOperation(session, specOf(container, path, {}));
  } finally {
    await removeTransfer(session.api, path);
  }
}

function specOf(container: string, path: string, { detach }: Pick<Flags, "detach">): OperationSpec {
  const request = (api: HostApi, settings: CallSettings) => requestImport(api, container, path, settings);
  const about = { title: `importing ${container}`, kind: "import", container, mustExist: false } as const;
  return { ...about, request, cancel: cancel(container), cancelledBy: "import", detach: detach === true };
}

/** Asks until what is there is what was confirmed, or nothing. Returns that. */
async function confirmReplacing(
  api: HostApi,
  container: string,
  io: Io,
  confirmed?: string,
): Promise<string | undefined> {
  for (let last = confirmed; ; ) {
    const found = await findReplaced(api, container, io.interrupted);
    if (found === undefined || found === last) return found;
    const question = `Replace ${container}, with all its data and snapshots, by the backup?`;
    await confirm(container, { verb: "replace", participle: "replaced", question }, io);
    last = found;
  }
}

/** When the container of that name was made; undefined where there is none. Throws where the guest cannot say. */
async function findReplaced(
  api: HostApi,
  containerName: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const info = await api.call(Tremplin.method.getContainerInfo, { containerName }, { signal });
  if (info.status === Info.NOT_FOUND) return undefined;
  if (info.status !== Info.RUNNING && info.status !== Info.STOPPED) {
    const reason = plainText(plainReason(info.failureReason)) || "the guest gave no reason";
    const sentence = `cannot find out whether there is a container ${containerName} already: ${reason}`;
    throw new TremplinError("failed", sentence);
  }
  // A guest with the original contract alone has no list.
  const listed = await api.call(Guest.method.listContainers, {}, { signal }).catch(() => undefined);
  signal.throwIfAborted();
  const createdAt = listed?.containers.find(({ name }) => name === containerName)?.createdAt;
  return createdAt ? timestampDate(createdAt).toISOString() : "unknown";
}

async function requestImport(
  api: HostApi,
  containerName: string,
  importPath: string,
  settings: CallSettings,
): Promise<Reply> {
  const request = { containerName, importPath };
  const { status, failureReason } = await api.call(Tremplin.method.importContainer, request, settings);
  if (status === Status.IMPORTING) return { kind: "accepted" };
  return { kind: "refused", reason: failureReason };
}

function cancel(inProgressContainerName: string) {
  return async (api: HostApi, settings: CallSettings): Promise<Cancelled> =>
    (await api.call(Tremplin.method.cancelImportContainer, { inProgressContainerName }, settings)).status;
}

async function cancelImport(container: string, flags: Flags, io: Io): Promise<void> {
  await cancelOperation("import", container, flags, io, async (api, settings) => {
    return (await cancel(container)(api, settings)) === Cancelled.CANCEL_QUEUED;
  });
}

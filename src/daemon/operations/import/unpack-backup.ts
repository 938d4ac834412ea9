import { chown, lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { Instance } from "../../../engine/resources/instance.ts";
import { instanceFolder } from "../../../engine/storage/local-paths.ts";
import { NeedsEngineUnpack } from "../../backups/archive-check.ts";
import { DeviceNodes } from "../../backups/device-nodes.ts";
import { MemberRules } from "../../backups/member-rules.ts";
import { streamVerified } from "../../backups/stream-verified.ts";
import { forceDelete } from "../../containers/delete-container.ts";
import { type IdMap, parseIdMap, toHostId } from "../../guest/id-map.ts";
import { UserNamespace } from "../../guest/user-namespace.ts";
import type { OperationContext } from "../runner/operation.ts";
import { type OpenBackup, withPlan } from "./open-backup.ts";

/** Keys of the engine: the id map that a container will have, and that of its files. */
const NEXT_MAP = "volatile.idmap.next";
const MAP_ON_DISK = "volatile.last_state.idmap";

/** A container whose files are on this machine. */
interface LocalContainer {
  readonly folder: string;
  readonly idMap: IdMap;
  readonly idMapText: string;
}

/** A container that was made from a backup. */
export interface UnpackedBackup {
  /** What was left out of it, for people. */
  readonly remark?: string | undefined;
}

/**
 * Makes a container from a backup in one pass: the engine makes an empty one, and the archive is unpacked into it with
 * shifted ids. The container's own root unpacks it, in a user namespace, and every member is checked, so a hostile
 * archive reaches nothing outside its folder. Returns undefined, and makes no container, when only the engine can do it:
 * it is on another machine, it hides the files of its pool, the container would be privileged, or tar fails. Calls `onRead` with the bytes of the file that were read.
 */
export async function unpackBackup(
  engine: Engine,
  name: string,
  backup: OpenBackup,
  context: OperationContext,
  onRead: (bytes: number) => void,
): Promise<UnpackedBackup | undefined> {
  const { signal, shutdownSignal, log } = context;
  if (engine.address.kind !== "unix") return undefined;
  const container = await createEmpty(engine, name, backup, context);
  try {
    if (container) return await fill(engine, name, container, backup, { signal, log, onRead });
  } catch (error) {
    if (!(error instanceof TremplinError) || !(error.cause instanceof NeedsEngineUnpack)) throw error;
    log.info({ reason: errorMessage(error) }, "the engine unpacks the backup instead");
  }
  await forceDelete(engine, name, shutdownSignal);
  return undefined;
}

/** Undefined when this process cannot write its files. */
async function createEmpty(
  engine: Engine,
  name: string,
  { metadata }: OpenBackup,
  { signal, shutdownSignal }: OperationContext,
): Promise<LocalContainer | undefined> {
  const about = Object.entries(metadata.properties).map(([key, value]) => [`image.${key}`, value]);
  const body = { name, source: { type: "none" }, config: Object.fromEntries(about) } as const;
  // Not cancelled halfway: the engine could create it after the clean-up. It takes a moment only.
  await (await engine.instances.create(body, { signal: shutdownSignal })).wait({ signal: shutdownSignal });
  signal.throwIfAborted();
  const { value } = await engine.instances.get(name, { signal });
  const folder = await instanceFolder(engine, value);
  return folder === undefined ? undefined : withShiftedIds(folder, value);
}

function withShiftedIds(folder: string, { config }: Instance): LocalContainer | undefined {
  const idMapText = config[NEXT_MAP] || "[]";
  const idMap = parseIdMap(idMapText);
  return idMap.uid.length > 0 && idMap.gid.length > 0 ? { folder, idMap, idMapText } : undefined;
}

async function fill(
  engine: Engine,
  name: string,
  { folder, idMap, idMapText }: LocalContainer,
  backup: OpenBackup,
  { signal, log, onRead }: { signal: AbortSignal; log: Logger; onRead: (bytes: number) => void },
): Promise<UnpackedBackup> {
  // Apart from the files of the engine, until the whole archive is checked.
  const unpacked = join(folder, "unpacked");
  await using namespace = await UserNamespace.open(idMap);
  const { lost, nodes } = await withPlan(backup, { unpacksLocally: true, signal }, async (plan) => {
    await rm(unpacked, { recursive: true, force: true });
    await mkdir(unpacked, { mode: 0o700 });
    await chown(unpacked, toHostId(idMap, "uid", 0) ?? 0, toHostId(idMap, "gid", 0) ?? 0);
    const nodes = new DeviceNodes();
    const rules = new MemberRules(nodes);
    const target = { folder: unpacked, namespace };
    const passing = {
      ...backup,
      rules,
      target,
      isDecompressed: false,
      onPlain: plan.check,
      onPacked: onRead,
      signal,
    };
    for await (const _ of streamVerified(backup.file, passing));
    return { lost: rules.lost, nodes };
  });
  await nodes.make(unpacked, idMap, { signal, log });
  const remark = [nodes.remark, lost.remark].filter((part) => part !== undefined).join("; ") || undefined;
  if (remark) log.warn({ remark }, "parts of the backup were left out");
  for (const part of ["rootfs", "templates"]) await moveFolder(part, unpacked, folder);
  const { mended } = backup.metadata;
  if (mended.length > 0)
    log.info({ fields: mended }, "mended what no engine reads in the backup's metadata.yaml");
  // The text that was checked, whatever else of that name the archive has.
  await writeFile(join(folder, "metadata.yaml"), backup.metadata.text, { mode: 0o644, flag: "wx" });
  await rm(unpacked, { recursive: true });
  const shifted = { [MAP_ON_DISK]: idMapText };
  await engine.instances.update(
    name,
    (instance) => ({ ...instance, config: { ...instance.config, ...shifted } }),
    { signal },
  );
  return { remark };
}

async function moveFolder(name: string, from: string, to: string): Promise<void> {
  const found = await lstat(join(from, name)).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) throw new TremplinError("invalid", `the backup has a ${name} that is no folder`);
  await rename(join(from, name), join(to, name));
}

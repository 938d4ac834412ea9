import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { bytesText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type {
  GetContainerSettingsRequest,
  SetContainerSettingsRequest,
} from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import {
  checkSettings,
  type PersonSettings,
  readSettings,
  rootOf,
  sizeInBytes,
  withSettings,
} from "../containers/person-settings.ts";
import type { RpcDeps } from "./rpc.ts";

type SettingsDeps = Pick<RpcDeps, "engine" | "autostart">;

/** The settings of a container (docs/daily.md#settings). */
export function getContainerSettings(deps: SettingsDeps) {
  return async ({ containerName: name }: GetContainerSettingsRequest, { signal }: HandlerContext) => {
    checkContainerName(name);
    const found = await getContainer(deps.engine.running(), name, signal);
    return { settings: readSettings(found, deps.autostart()), notes: [] };
  };
}

/** Changes settings of a container, in one change. */
export function setContainerSettings(deps: SettingsDeps & Pick<RpcDeps, "runner">) {
  return async (request: SetContainerSettingsRequest, { signal }: HandlerContext) => {
    const { containerName: name } = request;
    checkContainerName(name);
    const wanted = checkSettings(request.settings);
    const engine = deps.engine.running();
    using _lock = deps.runner.hold("set", name);
    const found = await getContainer(engine, name, signal);
    await checkInUse(engine, found, wanted, signal);
    const change = (instance: Parameters<typeof withSettings>[0]) =>
      withSettings(instance, wanted, found.expanded_devices);
    await engine.instances.update(name, change, { signal });
    const settings = readSettings(await getContainer(engine, name, signal), deps.autostart());
    return { settings, notes: await notesOn(engine, found, wanted, signal) };
  };
}

/** Throws `failed` for a limit below what is in use: programs would be killed, or could write nothing any more. */
async function checkInUse(
  engine: Engine,
  { name, status_code }: Instance,
  { memory, disk }: PersonSettings,
  signal: AbortSignal,
): Promise<void> {
  const state = await engine.instances.state(name, { signal });
  const bytes = memory === undefined ? undefined : sizeInBytes("memory", memory);
  if (status_code !== instanceStatus.stopped && bytes !== undefined && state.memory.usage > bytes) {
    throw new TremplinError(
      "failed",
      `${name} uses ${bytesText(state.memory.usage)} of memory now, more than that; stop it first, or end programs in it`,
    );
  }
  const size = disk === undefined ? undefined : sizeInBytes("disk", disk);
  const used = state.disk?.root?.usage ?? 0;
  if (size !== undefined && used > size) {
    throw new TremplinError(
      "failed",
      `${name} has ${bytesText(used)} on its disk, more than that; delete files in it first, or choose a larger size`,
    );
  }
}

/** What is not effective yet, or never will be. */
async function notesOn(
  engine: Engine,
  { name, expanded_devices }: Instance,
  { disk, autostart }: PersonSettings,
  signal: AbortSignal,
): Promise<string[]> {
  const notes: string[] = [];
  const pool = rootOf(expanded_devices)?.[1].pool;
  if (disk !== undefined && pool !== undefined) {
    const { driver } = (await engine.pools.get(pool, { signal })).value;
    if (driver === "dir")
      notes.push(`the storage of ${name} is plain folders, which may not keep to the size of a disk`);
  }
  if (autostart === "on") notes.push(`${name} is started whenever the engine starts`);
  if (autostart === "last") notes.push(`${name} is started with the engine where it ran when that ended`);
  return notes;
}

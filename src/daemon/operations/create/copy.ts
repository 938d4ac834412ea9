import * as z from "zod";
import { temporaryName } from "../../../base/temporary-name.ts";
import { errorMessage, isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import {
  type CopyContainerRequest,
  CopyContainerRequestSchema,
} from "../../../contract/tremplin/v1/guest_pb.js";
import { ContainerCreationProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import type { InstanceUpdate } from "../../../engine/resources/instance.ts";
import { bindMountDevices } from "../../containers/bind-mounts.ts";
import { findContainer, getContainer, uuidOf } from "../../containers/find-container.ts";
import { OPERATION_MARK } from "../../containers/operation-mark.ts";
import { isShare } from "../../containers/share-mark.ts";
import { isUsb } from "../../containers/usb-mark.ts";
import { forgetMachineId } from "../../guest/machine-id.ts";
import { failureMessages } from "../failure-messages.ts";
import { repeatWhile } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import { nameIsTaken } from "../rename.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { discardTemporary } from "./create.ts";

/** Hosts extend their timeout on each message. */
const HEARTBEAT_MS = 30_000;
const steps = {
  /** Whether the engine starts the source by itself; empty where only its profiles say so. */
  autostart: z.string(),
  /** Which container is the copy, written before it gets its name. */
  fresh: z.string(),
};
type Context = OperationContext<typeof steps>;

const AUTOSTART = "boot.autostart";
/** The engine's other word for "false", which no person sets: what one has set since is left alone. */
const HELD = "0";

/** What distinguishes a network card from another one. A copy gets its own. */
const ADDRESS_KEYS = new Set(["hwaddr", "ipv4.address", "ipv6.address"]);

/** Copies a container under a temporary name, and renames the copy when it is whole (docs/daily.md#rename-and-copy). */
export function copyOperation(
  deps: OperationDeps,
): OperationKind<typeof CopyContainerRequestSchema, "updateCreateStatus", typeof steps> {
  async function copy({ containerName, sourceName, snapshots }: CopyContainerRequest, context: Context) {
    const { id, signal } = context;
    const engine = deps.engine();
    const temporary = temporaryName("create", id);
    const { config } = await getContainer(engine, sourceName, signal);
    if (await findContainer(engine, containerName, signal)) throw nameIsTaken(containerName);
    await context.step("autostart", config[AUTOSTART] ?? "");
    const change = (instance: InstanceUpdate) => settingsOfCopy(instance, bindMountDevices(deps.site));
    const copying = await engine.instances.copy(sourceName, temporary, { snapshots, change, signal });
    await copying.wait({ signal });
    // The engine has added what the request left out.
    await engine.instances.update(temporary, change, { signal });
    const failureReason = await giveMachineId(engine, temporary, sourceName, context);
    await context.step("fresh", uuidOf(await getContainer(engine, temporary, signal)));
    await (await engine.instances.rename(temporary, containerName, { signal })).wait({ signal });
    await releaseAutostart(engine, containerName, context);
    return { containerName, status: Status.CREATED, failureReason };
  }

  const going = ({ containerName }: CopyContainerRequest) => ({ containerName, status: Status.DOWNLOADING });

  return {
    name: "copy",
    request: CopyContainerRequestSchema,
    notify: "updateCreateStatus",
    steps,
    run(request, context) {
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      return repeatWhile(
        () => going(request),
        () => copy(request, context),
        every,
      );
    },
    ...failureMessages(Status),
    async recover({ containerName }, context) {
      await discardTemporary(deps, temporaryName("create", context.id), context);
      const found = await findContainer(deps.engine(), containerName, context.signal);
      const isCopied = found !== undefined && context.steps.fresh === uuidOf(found);
      if (!isCopied) return undefined;
      await releaseAutostart(deps.engine(), containerName, context);
      return { containerName, status: Status.CREATED };
    },
    interrupted: ({ sourceName }, cause) => `${cause} while it copied ${sourceName}; copy it again`,
  };
}

/**
 * Without what belongs to one container only: marks, USB devices, shares, the site's files, fixed addresses. Not started by the
 * engine, which could find it half copied.
 */
function settingsOfCopy(instance: InstanceUpdate, own: ReadonlySet<string>): InstanceUpdate {
  const config = Object.entries(instance.config).filter(([key]) => key !== OPERATION_MARK);
  const devices = Object.entries(instance.devices)
    .filter(([name, device]) => !own.has(name) && !isUsb(device) && !isShare(device))
    .map(([name, device]) => [name, device.type === "nic" ? withoutAddresses(device) : device]);
  return {
    ...instance,
    config: { ...Object.fromEntries(config), [AUTOSTART]: HELD },
    devices: Object.fromEntries(devices),
  };
}

function withoutAddresses(device: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(device).filter(([key]) => !ADDRESS_KEYS.has(key)));
}

/** The copy is whole and has its name, so nothing here makes it fail. What cannot be done now is owed. */
async function releaseAutostart(engine: Engine, name: string, context: Context): Promise<void> {
  const { steps, shutdownSignal: signal, log } = context;
  const { autostart } = steps;
  // An older version did not hold it.
  if (autostart === undefined) return;
  try {
    await engine.instances.update(name, (instance) => withAutostart(instance, autostart), { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    log.error({ error }, "the copy is not started with the engine yet, as its source is");
    context.owe(`it is not started with the engine yet, as its source is: ${errorMessage(error)}`);
  }
}

function withAutostart(instance: InstanceUpdate, autostart: string): InstanceUpdate {
  const { [AUTOSTART]: now, ...others } = instance.config;
  if (now !== HELD) return instance;
  return { ...instance, config: autostart === "" ? others : { ...others, [AUTOSTART]: autostart } };
}

/** What a person should know where the copy keeps the machine id of its source; empty where it does not. */
async function giveMachineId(
  engine: Engine,
  temporary: string,
  source: string,
  { signal, log }: Context,
): Promise<string> {
  try {
    using files = await engine.fileSession(temporary, { signal });
    await forgetMachineId(files);
    return "";
  } catch (error) {
    signal.throwIfAborted();
    const { code } = TremplinError.from(error);
    if (code === "unavailable") throw error;
    log.warn({ error }, "the copy keeps the machine id of its source");
    return `it keeps the machine id of ${source}, so a DHCP server may give both the same address`;
  }
}

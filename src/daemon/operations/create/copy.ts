import * as z from "zod";
import { temporaryName } from "../../../base/temporary-name.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
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
import { isUsb } from "../../containers/usb-mark.ts";
import { forgetMachineId } from "../../guest/machine-id.ts";
import { failureMessages } from "../failure-messages.ts";
import { fromPromise, withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import { nameIsTaken } from "../rename.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { discardTemporary } from "./create.ts";

/** Hosts extend their timeout on each message. */
const HEARTBEAT_MS = 30_000;
/** `fresh`: which container is the copy, written before it gets its name. */
const steps = { fresh: z.string() };
type Context = OperationContext<typeof steps>;

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
    await getContainer(engine, sourceName, signal);
    if (await findContainer(engine, containerName, signal)) throw nameIsTaken(containerName);
    const change = (instance: InstanceUpdate) => settingsOfCopy(instance, bindMountDevices(deps.site));
    const copying = await engine.instances.copy(sourceName, temporary, { snapshots, change, signal });
    await copying.wait({ signal });
    const failureReason = await giveMachineId(engine, temporary, sourceName, context);
    await context.step("fresh", uuidOf(await getContainer(engine, temporary, signal)));
    await (await engine.instances.rename(temporary, containerName, { signal })).wait({ signal });
    return { containerName, status: Status.CREATED, failureReason };
  }

  const going = ({ containerName }: CopyContainerRequest) => ({ containerName, status: Status.DOWNLOADING });

  return {
    name: "copy",
    request: CopyContainerRequestSchema,
    notify: "updateCreateStatus",
    steps,
    async *run(request, context) {
      yield going(request);
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      return yield* withHeartbeat(fromPromise(copy(request, context)), every, () => going(request));
    },
    ...failureMessages(Status),
    async recover({ containerName }, context) {
      await discardTemporary(deps, temporaryName("create", context.id), context);
      const found = await findContainer(deps.engine(), containerName, context.signal);
      const isCopied = found !== undefined && context.steps.fresh === uuidOf(found);
      return isCopied ? { containerName, status: Status.CREATED } : undefined;
    },
    interrupted: ({ sourceName }, cause) => `${cause} while it copied ${sourceName}; copy it again`,
  };
}

/** Without what belongs to one container only: marks, USB devices, the site's files, fixed addresses. */
function settingsOfCopy(instance: InstanceUpdate, own: ReadonlySet<string>): InstanceUpdate {
  const config = Object.entries(instance.config).filter(([key]) => key !== OPERATION_MARK);
  const devices = Object.entries(instance.devices)
    .filter(([name, device]) => !own.has(name) && !isUsb(device))
    .map(([name, device]) => [name, device.type === "nic" ? withoutAddresses(device) : device]);
  return { ...instance, config: Object.fromEntries(config), devices: Object.fromEntries(devices) };
}

function withoutAddresses(device: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(device).filter(([key]) => !ADDRESS_KEYS.has(key)));
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

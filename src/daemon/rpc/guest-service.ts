import { timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Guest, Engine_State as State } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/instance.ts";
import type { UsbAttachments } from "../devices/usb-attachments.ts";
import type { Outbox } from "../notices/outbox.ts";
import { isTemporaryName } from "../operations/temporary-name.ts";
import { checkUpgrade } from "./check-upgrade.ts";
import { addressOf } from "./get-container-info.ts";
import { prepareImage } from "./prepare-image.ts";
import type { RpcTools } from "./rpc.ts";
import { shell } from "./shell.ts";
import { wayBack } from "./way-back.ts";

export interface GuestTools extends RpcTools {
  readonly daemonId: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly bridge: string;
  readonly outbox: Outbox;
  readonly usb: UsbAttachments;
}

const states = {
  stopped: State.STOPPED,
  starting: State.STARTING,
  running: State.RUNNING,
  failed: State.FAILED,
};

/** What a guest offers beyond the contract. */
export function guestService(tools: GuestTools): ServiceImpl<typeof Guest> {
  const { launcher, runner, outbox, site } = tools;
  return {
    async getStatus() {
      const { state } = launcher;
      return {
        daemonId: tools.daemonId,
        version: tools.version,
        startedAt: timestampFromDate(tools.startedAt),
        site: site.name,
        engine: {
          state: states[state.word],
          failureReason: state.word === "failed" ? state.error.message : "",
          ...(state.word === "running" && (await engineStatus(state.engine, tools.bridge))),
        },
        operations: runner.locks.all().map(({ id, kind, container, startedAt }) => ({
          id,
          kind,
          containerName: container,
          startedAt: timestampFromMs(startedAt),
        })),
        undeliveredNotices: outbox.waiting,
      };
    },
    async listContainers() {
      const engine = tools.engine();
      const instances = (await engine.instances.list()).filter(
        ({ name, type }) => type === "container" && !isTemporaryName(name),
      );
      return { containers: await Promise.all(instances.map((instance) => describe(engine, instance))) };
    },
    prepareImage: prepareImage(tools),
    shell: shell(tools),
    checkUpgrade: checkUpgrade(tools),
    ...wayBack(tools),
    async listUsbPorts() {
      const ports = await tools.usb.list();
      return {
        ports: ports.map(({ container, ...port }) => ({
          ...port,
          containerName: container,
          devices: [...port.devices],
        })),
      };
    },
  };

  async function describe(engine: Engine, instance: Instance) {
    const running = instance.status_code === instanceStatus.running;
    const state = running ? await engine.instances.state(instance.name).catch(ifMissing) : undefined;
    return {
      name: instance.name,
      state: instance.status.toLowerCase(),
      ipv4Address: state ? addressOf(state) : "",
      createdAt: timestampFromDate(new Date(instance.created_at)),
      image: instance.config["image.description"] ?? "",
      privileged: instance.expanded_config["security.privileged"] === "true",
      operation: runner.locks.holder(instance.name)?.kind ?? "",
    };
  }
}

/** An engine that just died and is started again cannot say more than what it is. */
async function engineStatus(engine: Engine, bridge: string) {
  const { address, info } = engine;
  const network = await engine.networks.get(bridge).catch(() => undefined);
  const pool = await engine.pools.get("default").catch(() => undefined);
  return {
    kind: info.kind,
    version: info.version,
    socket: address.kind === "unix" ? address.path : `https://${address.host}:${address.port}`,
    bridge,
    subnet: network?.value.config["ipv4.address"] ?? "",
    storage: pool?.value.driver ?? "",
  };
}

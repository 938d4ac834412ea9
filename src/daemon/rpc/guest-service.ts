import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { isTemporaryName } from "../containers/temporary-name.ts";
import type { UsbAttachments } from "../devices/usb-attachments.ts";
import type { Journal } from "../notices/journal.ts";
import type { NoticeQueue } from "../notices/notice-queue.ts";
import type { RejectedNotices } from "../notices/rejected-notices.ts";
import { checkUpgrade } from "./check-upgrade.ts";
import { addressOf } from "./get-container-info.ts";
import { getStatus } from "./get-status.ts";
import { listOrphans } from "./list-orphans.ts";
import { prepareImage } from "./prepare-image.ts";
import { rollbackRpc } from "./rollback.ts";
import type { RpcDeps } from "./rpc.ts";
import { shell } from "./shell.ts";

export interface GuestServiceDeps extends RpcDeps {
  readonly daemonId: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly bridge: string;
  readonly outbox: NoticeQueue;
  readonly refused: Pick<RejectedNotices, "folder" | "list">;
  readonly journal: Pick<Journal, "entries">;
  readonly journalFolder: string;
  readonly usb: UsbAttachments;
}

/** What a guest offers beyond the contract. */
export function guestService(tools: GuestServiceDeps): ServiceImpl<typeof Guest> {
  const { runner } = tools;
  return {
    getStatus: getStatus(tools),
    async listContainers() {
      const engine = tools.engine();
      const instances = (await engine.instances.list()).filter(
        ({ name, type }) => type === "container" && !isTemporaryName(name),
      );
      return { containers: await Promise.all(instances.map((instance) => describe(engine, instance))) };
    },
    listOrphans: listOrphans(tools),
    prepareImage: prepareImage(tools),
    shell: shell(tools),
    checkUpgrade: checkUpgrade(tools),
    ...rollbackRpc(tools),
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

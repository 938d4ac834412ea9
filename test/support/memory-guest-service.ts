import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  Engine_State,
  GetStatusResponseSchema,
  type Guest,
} from "../../src/contract/tremplin/v1/guest_pb.js";
import { connectPort } from "../../src/daemon/rpc/connect-port.ts";
import { transfers } from "../../src/daemon/rpc/transfers.ts";
import { watchPorts } from "../../src/daemon/rpc/watch-ports.ts";
import { dailyHandlers } from "./memory-daily.ts";
import type { MemoryGuest } from "./memory-guest.ts";
import { memoryShell } from "./memory-shell.ts";

/** The rpcs of tremplin.v1.Guest. */
export function guestHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>> {
  return {
    getStatus: () => {
      const engine = { state: guest.engine, kind: "lxd", version: "5.0.2" };
      const { daemonId, operations } = guest;
      const status = {
        sharedFolder: guest.shared,
        daemonId,
        version: "1.2.3",
        site: "generic",
        engine,
        operations,
      };
      return Object.assign(create(GetStatusResponseSchema, status), guest.status);
    },
    listOrphans: () => ({ orphans: guest.orphans }),
    listProblems: () => ({ problems: guest.problems }),
    listContainers: () => {
      guest.lists++;
      if (guest.engine !== Engine_State.RUNNING) {
        throw new ConnectError("LXD not running: call StartLxd first", Code.FailedPrecondition);
      }
      return { containers: listed(guest) };
    },
    async *prepareImage({ debianRelease }) {
      yield { message: "fetching packages", percent: 10 };
      yield { message: "packing", percent: 90 };
      const folder = `/shared/${debianRelease}`;
      yield { percent: 100, rootfsPath: `${folder}/rootfs.tar`, metadataPath: `${folder}/meta.tar` };
    },
    watchPorts: watchPorts({ ports: guest.ports.current }),
    connectPort: connectPort({ ports: guest.ports.current }, guest.ports),
    listTimezones: ({ containerNames }) => ({
      containers: (containerNames.length > 0 ? containerNames : [...guest.containers.keys()]).map((name) =>
        guest.containers.has(name)
          ? { containerName: name, zone: guest.zone }
          : { containerName: name, failureReason: `there is no container ${name}` },
      ),
    }),
    listUsbPorts: () => guest.usb.list(),
    async *checkUpgrade() {
      yield { message: "looking" };
      yield { notes: ["300 MB to download"], problems: guest.fault ? [guest.fault] : [], done: true };
    },
    undoUpgrade: ({ containerName }, context) => {
      if (!guest.containers.has(containerName)) return { status: 2, failureReason: "there is no snapshot" };
      guest.begin("undo-upgrade", containerName, async () => {
        const progress = guest.outcome(
          { status: 2, progressMessages: ["it was rolled back"] },
          { status: 3 },
        );
        await guest.notify("upgradeContainerStatus", { containerName, ...progress });
      });
      guest.nameOperation(context);
      return { status: 1 };
    },
    keepUpgrade: ({ containerName }, context) => {
      if (!guest.containers.has(containerName)) return { status: 2, failureReason: "there is no snapshot" };
      guest.begin("keep-upgrade", containerName, async () => {
        const progress = guest.outcome({ status: 2, progressMessages: ["it was kept"] }, { status: 3 });
        await guest.notify("upgradeContainerStatus", { containerName, ...progress });
      });
      guest.nameOperation(context);
      return { status: 1 };
    },
    shell: (inputs, { signal }) => memoryShell(guest, inputs, signal),
    ...dailyHandlers(guest),
    ...filesOf(guest),
  };
}

function listed(guest: MemoryGuest) {
  return [...guest.containers].map(([name, state]) => ({
    name,
    state: state === "unprovisioned" ? "stopped" : state,
    unprovisioned: state === "unprovisioned",
    ipv4Address: state === "running" ? guest.address : "",
    image: "Debian bookworm amd64",
    operation: guest.operations.find((each) => each.containerName === name)?.kind ?? "",
    ...(state === "running" && guest.nextUsage()),
    ...guest.containerFields,
    ...guest.fieldsOf(name),
  }));
}

function filesOf(guest: MemoryGuest): ReturnType<typeof transfers> {
  const files = transfers({ places: { state: guest.shared, shared: guest.shared } });
  return {
    ...files,
    async *readTransfer(request, context) {
      yield* guest.transferChunks ?? files.readTransfer(request, context);
    },
  };
}

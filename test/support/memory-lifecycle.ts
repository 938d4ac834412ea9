import type { ServiceImpl } from "@connectrpc/connect";
import { Engine_State } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

type Handlers = Partial<ServiceImpl<typeof Tremplin>>;

/** Starts the engine. */
export function launchHandlers(guest: MemoryGuest): Handlers {
  return {
    startLxd: () => {
      if (guest.engine === Engine_State.RUNNING) return { status: 2 };
      guest.begin("launch", "", async () => {
        await guest.notify("updateStartLxdStatus", { status: 1 });
        await guest.gate;
        guest.engine = guest.fault ? Engine_State.FAILED : Engine_State.RUNNING;
        await guest.notify("updateStartLxdStatus", guest.outcome({ status: 3 }, { status: 4 }));
      });
      return { status: 1 };
    },
  };
}

/** Creates and deletes containers. */
export function creationHandlers(guest: MemoryGuest): Handlers {
  return {
    createContainer: ({ containerName, imageServer, imageAlias }) => {
      if ((guest.containers.get(containerName) ?? "unprovisioned") !== "unprovisioned") return { status: 2 };
      if (imageServer) guest.asked.push(`image ${imageAlias} of ${imageServer}`);
      guest.begin("create", containerName, async () => {
        for (const downloadProgress of [0, 50, 100]) {
          await guest.notify("updateCreateStatus", { containerName, status: 1, downloadProgress });
        }
        await guest.gateOrCancel();
        const created = { status: 2 };
        const progress = guest.outcome(created, { status: 5 }, 4);
        if (progress === created) guest.containers.set(containerName, "stopped");
        await guest.notify("updateCreateStatus", { containerName, ...progress });
      });
      return { status: 1 };
    },
    deleteContainer: ({ containerName }) => {
      if (!guest.containers.has(containerName)) return { status: 2 };
      guest.begin("delete", containerName, async () => {
        await guest.gate;
        guest.containers.delete(containerName);
        await guest.notify("updateDeletionStatus", {
          containerName,
          ...guest.outcome({ status: 1 }, { status: 3 }),
        });
      });
      return { status: 1 };
    },
  };
}

/** Starts and stops containers. */
export function powerHandlers(guest: MemoryGuest): Handlers {
  return {
    startContainer: ({ containerName }) => {
      const state = guest.containers.get(containerName);
      if (!state) return { status: 3, failureReason: `there is no container ${containerName}` };
      if (state === "running") return { status: 2 };
      const busy = guest.operations.find((each) => each.containerName === containerName);
      if (busy) return { status: 3, failureReason: `${busy.kind} of ${containerName} is under way` };
      guest.begin("start", containerName, async () => {
        await guest.notify("updateStartStatus", { containerName, status: 4 });
        await guest.gate;
        if (!guest.fault) guest.containers.set(containerName, "running");
        const progress = guest.outcome({ status: 1 }, { status: 3 });
        await guest.notify("updateStartStatus", { containerName, ...progress });
      });
      return { status: 4 };
    },
    stopContainer: ({ containerName }) => {
      const state = guest.containers.get(containerName);
      if (!state) return { status: 3 };
      if (state !== "running") return { status: 1 };
      guest.begin("stop", containerName, async () => {
        await guest.gate;
        guest.containers.set(containerName, "stopped");
        await guest.notify("updateStopStatus", {
          containerName,
          ...guest.outcome({ status: 1 }, { status: 4 }),
        });
        await guest.notify("containerShutdown", { containerName });
      });
      return { status: 2 };
    },
  };
}

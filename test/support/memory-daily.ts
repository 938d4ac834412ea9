import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

/** What people do with containers every day. */
export function dailyHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>> {
  return {
    restartContainer: ({ containerName }, context) => {
      stateOf(guest, containerName);
      guest.begin("restart", containerName, async () => {
        await guest.notify("updateStartStatus", { containerName, status: 4 });
        await guest.gate;
        const progress = guest.outcome({ status: 1 }, { status: 3 });
        await guest.notify("updateStartStatus", { containerName, ...progress });
      });
      guest.nameOperation(context);
      return {};
    },
    ...snapshotHandlers(guest),
    ...shareHandlers(guest),
    ...copyHandlers(guest),
    cancelOperation: (_request, context) => ({ cancelled: guest.cancel(context).status === 1 }),
    getContainerSettings: ({ containerName }) => {
      stateOf(guest, containerName);
      return { settings: guest.settings };
    },
    setContainerSettings: ({ containerName, settings }) => {
      stateOf(guest, containerName);
      Object.assign(guest.settings, settings);
      return { settings: guest.settings, notes: ["it is so from now on"] };
    },
    readContainerLog: ({ containerName, boot, lines }) => {
      stateOf(guest, containerName);
      return { text: `${lines} lines${boot ? " of the start" : ""}\n\u001b[2Jred\n` };
    },
    renameContainer: async ({ containerName, newName }, context) => {
      const state = stateOf(guest, containerName);
      if (state === "running") throw new ConnectError("it is running; stop it first", Code.Internal);
      makeContainer(guest, `rename ${containerName}`, newName, context, () => {
        guest.containers.delete(containerName);
      });
      await guest.answers;
      return {};
    },
    copyContainer: ({ containerName, sourceName, snapshots }, context) => {
      stateOf(guest, sourceName);
      const kind = `copy ${sourceName}${snapshots ? " with snapshots" : ""}`;
      makeContainer(guest, kind, containerName, context);
      return {};
    },
  };
}

function shareHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>> {
  return {
    createShare: ({ containerName, source, path: wanted, readOnly, caller }) => {
      stateOf(guest, containerName);
      const path = wanted || `/mnt/${source.split("/").at(-1)}`;
      const share = { containerName, source, path, readOnly, ...(caller && { owner: caller }) };
      guest.shares.set(`${containerName} ${path}`, share);
      return { share, notes: [`it is of uid ${caller?.uid}`] };
    },
    removeShare: ({ containerName, place }) => {
      stateOf(guest, containerName);
      const share = guest.shares.get(`${containerName} ${place}`);
      if (!share) throw new ConnectError(`there is no share ${place}`, Code.NotFound);
      guest.shares.delete(`${containerName} ${place}`);
      return { share };
    },
    listShares: ({ containerName }) => {
      if (containerName !== "") stateOf(guest, containerName);
      const all = [...guest.shares.values()];
      return { shares: all.filter((each) => containerName === "" || each.containerName === containerName) };
    },
  };
}

function copyHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>> {
  const copies = () => {
    if (guest.copies) return guest.copies;
    throw new ConnectError("this guest has no files", Code.Unimplemented);
  };
  return {
    readFiles: (request, context) => copies().readFiles(request, context),
    writeFiles: (inputs, context) => copies().writeFiles(inputs, context),
  };
}

function snapshotHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>> {
  const all = () => [...guest.snapshots].map((path) => path.split("/") as [string, string]);
  const find = (containerName: string, snapshotName: string) => {
    stateOf(guest, containerName);
    const path = `${containerName}/${snapshotName}`;
    if (!guest.snapshots.has(path)) throw new ConnectError("there is no such snapshot", Code.NotFound);
    return path;
  };
  const begin = (kind: string, containerName: string, act: () => void, context: HandlerContext) => {
    guest.begin(kind, containerName, async () => {
      await guest.notify("upgradeContainerStatus", { containerName, status: 1, progressMessages: [kind] });
      await guest.gateOrCancel();
      const progress = guest.outcome({ status: 2, progressMessages: [kind] }, { status: 3 }, 3);
      if ("progressMessages" in progress) act();
      await guest.notify("upgradeContainerStatus", { containerName, ...progress });
    });
    guest.nameOperation(context);
  };
  return {
    createSnapshot: ({ containerName, snapshotName: wanted, lifetimeSeconds }, context) => {
      stateOf(guest, containerName);
      const snapshotName = wanted || "snap0";
      const path = `${containerName}/${snapshotName}`;
      if (guest.snapshots.has(path)) throw new ConnectError(`${path} exists`, Code.AlreadyExists);
      const kind = lifetimeSeconds > 0n ? `snapshot for ${lifetimeSeconds} s of` : "snapshot";
      begin(kind, containerName, () => guest.snapshots.add(path), context);
      return { snapshotName };
    },
    listSnapshots: ({ containerName }) => {
      if (containerName) stateOf(guest, containerName);
      const wanted = all().filter(([container]) => !containerName || container === containerName);
      const createdAt = timestampFromMs(Date.UTC(2026, 10, 30, 12));
      return {
        snapshots: wanted.map(([container, name]) => ({
          containerName: container,
          name,
          createdAt,
          owner: name.startsWith("tremplin-") ? 2 : 1,
        })),
      };
    },
    restoreSnapshot: ({ containerName, snapshotName }, context) => {
      begin(`restore ${find(containerName, snapshotName)} in`, containerName, () => undefined, context);
      return {};
    },
    deleteSnapshot: ({ containerName, snapshotName }) => {
      guest.snapshots.delete(find(containerName, snapshotName));
      return {};
    },
    cancelOperation: (_, context) => ({ cancelled: guest.cancel(context).status === 1 }),
  };
}

function makeContainer(
  guest: MemoryGuest,
  kind: string,
  containerName: string,
  context: HandlerContext,
  act: () => void = () => undefined,
): void {
  if (guest.containers.has(containerName)) throw new ConnectError("it exists", Code.AlreadyExists);
  guest.begin(kind, containerName, async () => {
    await guest.notify("updateCreateStatus", { containerName, status: 1 });
    await guest.gateOrCancel();
    const progress = guest.outcome({ status: 2 }, { status: 5 }, 4);
    if (!guest.fault && !guest.asked.includes("cancel")) {
      guest.containers.set(containerName, "stopped");
      act();
    }
    await guest.notify("updateCreateStatus", { containerName, ...progress });
  });
  guest.nameOperation(context);
}

function stateOf(guest: MemoryGuest, name: string): string {
  const state = guest.containers.get(name);
  if (state === undefined) throw new ConnectError(`there is no container ${name}`, Code.NotFound);
  const busy = guest.operations.find((each) => each.containerName === name);
  if (busy) throw new ConnectError(`container ${name} is busy: operation "${busy.kind}"`, Code.Aborted);
  return state;
}

import type { ServiceImpl } from "@connectrpc/connect";
import { setNotes } from "../../src/base/notes.ts";
import { Engine_State } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

type Handlers = Partial<ServiceImpl<typeof Tremplin>>;

/** The rpcs that begin no operation. */
export function queryHandlers(guest: MemoryGuest): Handlers {
  return {
    getContainerInfo: ({ containerName }) => {
      if (guest.engine !== Engine_State.RUNNING) return { status: 4, failureReason: "LXD not running" };
      const state = guest.containers.get(containerName);
      if (!state) return { status: 3 };
      return state === "running" ? { status: 1, ipv4Address: 0x0100000a } : { status: 2 };
    },
    getContainerUsername: ({ containerName }) => {
      if (!guest.containers.has(containerName)) return { status: 2 };
      const username = guest.primaryUser || guest.defaultUser;
      return username ? { status: 1, username, homedir: `/home/${username}` } : { status: 4 };
    },
    setUpUser: ({ containerName, containerUsername }, context) => {
      guest.asked.push(`user ${containerName} ${containerUsername}`);
      if (!guest.containers.has(containerName)) {
        return { status: 3, failureReason: `there is no container ${containerName}` };
      }
      if (containerUsername === "root") {
        return { status: 3, failureReason: 'the user name "$USERNAME" belongs to the system' };
      }
      guest.primaryUser ||= containerUsername;
      setNotes(context, guest.notes);
      return { status: 1, username: guest.primaryUser };
    },
    setTimezone: ({ timezoneName, containerNames }) => {
      guest.asked.push(`timezone ${timezoneName} ${containerNames.join(" ")}`);
      const missing = containerNames.filter((name) => !guest.containers.has(name));
      const onlyTz = containerNames.filter((name) => guest.withoutZones.has(name));
      const failureReasons = [
        ...missing.map((name) => `there is no container ${name}`),
        ...onlyTz.map((name) => `in ${name} only some programs have it`),
      ];
      return { successes: containerNames.length - missing.length, failureReasons };
    },
    attachUsbToContainer: ({ portNum, containerName }) => {
      if (!guest.containers.has(containerName)) return { status: 2, failureReason: "there is none" };
      return guest.usb.attach(portNum, containerName);
    },
    detachUsbFromContainer: ({ portNum }) => guest.usb.detach(portNum),
    getDebugInfo: () => ({ debugInformation: guest.debugText }),
  };
}

import type { ServiceImpl } from "@connectrpc/connect";
import { formatPhaseLine, formatUpgradeStart } from "../../src/base/upgrade-lines.ts";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";

type Handlers = Partial<ServiceImpl<typeof Tremplin>>;

/** Upgrades containers. */
export function upgradeHandlers(guest: MemoryGuest): Handlers {
  return {
    upgradeContainer: ({ containerName, targetVersion }) => {
      if (!guest.containers.has(containerName)) return { status: 5, failureReason: "there is none" };
      if (targetVersion === 3) return { status: 4, failureReason: "it runs Debian 11 already" };
      guest.begin("upgrade", containerName, async () => {
        const notices = [
          [formatUpgradeStart(containerName, "Debian 12", "/state/upgrades/web.log"), phase(10, "checking")],
          [phase(40, "upgrading: Unpacking libc6"), "Unpacking \u001b[31mlibc6 ..."],
          ["Setting up libc6 ..."],
        ];
        for (const progressMessages of notices) {
          await guest.notify("upgradeContainerStatus", { containerName, status: 1, progressMessages });
        }
        await guest.gate;
        const progress = guest.outcome(
          { status: 2, progressMessages: ["it runs Debian 12 now"] },
          { status: 3 },
        );
        await guest.notify("upgradeContainerStatus", { containerName, ...progress });
      });
      return { status: 1 };
    },
    cancelUpgradeContainer: ({ containerName }) => ({
      status: guest.operations.some((each) => each.containerName === containerName) ? 2 : 1,
    }),
  };
}

function phase(percent: number, text: string): string {
  return formatPhaseLine({ percent, phase: text });
}

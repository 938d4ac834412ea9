import type { ServiceImpl } from "@connectrpc/connect";
import type { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { checkUpgrade } from "./check-upgrade.ts";
import { connectPort } from "./connect-port.ts";
import { getStatus } from "./get-status.ts";
import { listContainers } from "./list-containers.ts";
import { listOrphans } from "./list-orphans.ts";
import { listProblems } from "./list-problems.ts";
import { listTimezones } from "./list-timezones.ts";
import { listUsbPorts } from "./list-usb-ports.ts";
import { prepareImage } from "./prepare-image.ts";
import { keepUpgrade, undoUpgrade } from "./rollback.ts";
import type { RpcDeps } from "./rpc.ts";
import { shell } from "./shell.ts";
import { transfers } from "./transfers.ts";
import { watchPorts } from "./watch-ports.ts";

/** Our own service in the guest (docs/contract.md#our-own-rpcs). */
export function guestService(deps: RpcDeps): ServiceImpl<typeof Guest> {
  return {
    getStatus: getStatus(deps),
    listContainers: listContainers(deps),
    prepareImage: prepareImage(deps),
    shell: shell(deps),
    checkUpgrade: checkUpgrade(deps),
    undoUpgrade: undoUpgrade(deps),
    keepUpgrade: keepUpgrade(deps),
    listUsbPorts: listUsbPorts(deps),
    listOrphans: listOrphans(deps),
    listProblems: listProblems(deps),
    watchPorts: watchPorts(deps),
    connectPort: connectPort(deps),
    listTimezones: listTimezones(deps),
    ...transfers(deps),
  };
}

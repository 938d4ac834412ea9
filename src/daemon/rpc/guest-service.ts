import type { ServiceImpl } from "@connectrpc/connect";
import type { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { cancelOperation } from "./cancel-operation.ts";
import { checkUpgrade } from "./check-upgrade.ts";
import { connectPort } from "./connect-port.ts";
import { getContainerSettings, setContainerSettings } from "./container-settings.ts";
import { copyContainer, renameContainer } from "./copy-and-rename.ts";
import { copyFiles } from "./copy-files.ts";
import { getStatus } from "./get-status.ts";
import { listContainers } from "./list-containers.ts";
import { listOrphans } from "./list-orphans.ts";
import { listProblems } from "./list-problems.ts";
import { listTimezones } from "./list-timezones.ts";
import { listUsbPorts } from "./list-usb-ports.ts";
import { prepareImage } from "./prepare-image.ts";
import { readContainerLog } from "./read-container-log.ts";
import { restartContainer } from "./restart-container.ts";
import { keepUpgrade, undoUpgrade } from "./rollback.ts";
import type { RpcDeps } from "./rpc.ts";
import { createShare, listShares, removeShare } from "./shares.ts";
import { shell } from "./shell.ts";
import { createSnapshot, listSnapshots, removeSnapshot, restoreSnapshot } from "./snapshots.ts";
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
    restartContainer: restartContainer(deps),
    createSnapshot: createSnapshot(deps),
    listSnapshots: listSnapshots(deps),
    restoreSnapshot: restoreSnapshot(deps),
    deleteSnapshot: removeSnapshot(deps),
    renameContainer: renameContainer(deps),
    copyContainer: copyContainer(deps),
    getContainerSettings: getContainerSettings(deps),
    setContainerSettings: setContainerSettings(deps),
    createShare: createShare(deps),
    removeShare: removeShare(deps),
    listShares: listShares(deps),
    readContainerLog: readContainerLog(deps),
    cancelOperation: cancelOperation(deps),
    watchPorts: watchPorts(deps),
    connectPort: connectPort(deps),
    ...copyFiles(deps),
    listTimezones: listTimezones(deps),
    ...transfers(deps),
  };
}

import type { ServiceImpl } from "@connectrpc/connect";
import type { Tremplin } from "../../contract/tremplin_pb.js";
import { attachUsbToContainer } from "./attach-usb-to-container.ts";
import { cancelExportContainer } from "./cancel-export-container.ts";
import { cancelImportContainer } from "./cancel-import-container.ts";
import { cancelUpgradeContainer } from "./cancel-upgrade-container.ts";
import { createContainer } from "./create-container.ts";
import { deleteContainer } from "./delete-container.ts";
import { detachUsbFromContainer } from "./detach-usb-from-container.ts";
import { exportContainer } from "./export-container.ts";
import { getContainerInfo } from "./get-container-info.ts";
import { getContainerUsername } from "./get-container-username.ts";
import { getDebugInfo } from "./get-debug-info.ts";
import { hostNetworkChanged } from "./host-network-changed.ts";
import { importContainer } from "./import-container.ts";
import type { RpcDeps } from "./rpc.ts";
import { setTimezone } from "./set-timezone.ts";
import { setUpUser } from "./set-up-user.ts";
import { startContainer } from "./start-container.ts";
import { startLxd } from "./start-lxd.ts";
import { stopContainer } from "./stop-container.ts";
import { updateContainerDevices } from "./update-container-devices.ts";
import { upgradeContainer } from "./upgrade-container.ts";

/** The contract's service in the guest (docs/contract.md). An rpc that is missing here answers UNIMPLEMENTED. */
export function tremplinService(deps: RpcDeps): Partial<ServiceImpl<typeof Tremplin>> {
  return {
    startLxd: startLxd(deps),
    createContainer: createContainer(deps),
    deleteContainer: deleteContainer(deps),
    startContainer: startContainer(deps),
    stopContainer: stopContainer(deps),
    getContainerUsername: getContainerUsername(deps),
    setUpUser: setUpUser(deps),
    getContainerInfo: getContainerInfo(deps),
    setTimezone: setTimezone(deps),
    exportContainer: exportContainer(deps),
    cancelExportContainer: cancelExportContainer(deps),
    upgradeContainer: upgradeContainer(deps),
    cancelUpgradeContainer: cancelUpgradeContainer(deps),
    hostNetworkChanged: hostNetworkChanged(deps),
    importContainer: importContainer(deps),
    cancelImportContainer: cancelImportContainer(deps),
    getDebugInfo: getDebugInfo(deps),
    attachUsbToContainer: attachUsbToContainer(deps),
    detachUsbFromContainer: detachUsbFromContainer(deps),
    updateContainerDevices: updateContainerDevices(deps),
  };
}

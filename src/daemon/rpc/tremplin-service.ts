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
import type { GuestServiceDeps } from "./guest-service.ts";
import { hostNetworkChanged } from "./host-network-changed.ts";
import { importContainer } from "./import-container.ts";
import { setTimezone } from "./set-timezone.ts";
import { setUpUser } from "./set-up-user.ts";
import { startContainer } from "./start-container.ts";
import { startLxd } from "./start-lxd.ts";
import { stopContainer } from "./stop-container.ts";
import { updateContainerDevices } from "./update-container-devices.ts";
import { upgradeContainer } from "./upgrade-container.ts";

/** The contract's service in the guest. An rpc that is not here answers UNIMPLEMENTED. */
export function tremplinService(tools: GuestServiceDeps): Partial<ServiceImpl<typeof Tremplin>> {
  return {
    startLxd: startLxd(tools),
    createContainer: createContainer(tools),
    deleteContainer: deleteContainer(tools),
    startContainer: startContainer(tools),
    stopContainer: stopContainer(tools),
    getContainerUsername: getContainerUsername(tools),
    setUpUser: setUpUser(tools),
    getContainerInfo: getContainerInfo(tools),
    setTimezone: setTimezone(tools),
    exportContainer: exportContainer(tools),
    cancelExportContainer: cancelExportContainer(tools),
    upgradeContainer: upgradeContainer(tools),
    cancelUpgradeContainer: cancelUpgradeContainer(tools),
    hostNetworkChanged: hostNetworkChanged(tools),
    importContainer: importContainer(tools),
    cancelImportContainer: cancelImportContainer(tools),
    getDebugInfo: getDebugInfo(tools),
    attachUsbToContainer: attachUsbToContainer(tools),
    detachUsbFromContainer: detachUsbFromContainer(tools),
    updateContainerDevices: updateContainerDevices(tools),
  };
}

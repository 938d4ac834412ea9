import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { failureMessages } from "../failure-messages.ts";

/** The contract has no word for a cancelled upgrade: it failed, and the reason says why. */
export const upgradeFailureMessages = failureMessages({ FAILED: Status.FAILED, CANCELLED: Status.FAILED });

import { TremplinError } from "../../../base/tremplin-error.ts";
import { StartContainerRequest_PrivilegeLevel as Level } from "../../../contract/tremplin_pb.js";

/** Whether a container is to be privileged; undefined to leave it as it is. Throws `invalid` on other numbers. */
export function wantsPrivilege(level: Level): boolean | undefined {
  if (level === Level.UNCHANGED) return undefined;
  if (level === Level.PRIVILEGED) return true;
  if (level === Level.UNPRIVILEGED) return false;
  throw new TremplinError(
    "invalid",
    `privilege level ${level} is unknown: 0 leaves it, 1 is without, 2 with`,
  );
}

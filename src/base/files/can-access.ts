import { access, constants } from "node:fs/promises";

/** Whether there is something at a path, through links too; with a mode of fs.constants, whether that may be done with it. */
export function canAccess(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

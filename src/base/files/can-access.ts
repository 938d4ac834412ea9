import { access, constants } from "node:fs/promises";

/**
 * Whether something exists at a path, links followed; with a mode of fs.constants, whether this process may use it
 * so.
 */
export function canAccess(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

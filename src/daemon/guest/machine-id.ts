import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { replaceFile } from "./container-files.ts";

const MACHINE_ID = "/etc/machine-id";
/** A link to the other one on Debian. As a file of its own it would be the source of the next machine id. */
const DBUS_MACHINE_ID = "/var/lib/dbus/machine-id";

/**
 * Lets the next boot give a container another machine id (machine-id(5)). Two machines with the same one get the same
 * address of a DHCP server. A container without a machine id is left as it is.
 */
export async function forgetMachineId(files: FileSession): Promise<void> {
  const isFile = async (path: string) => (await files.lstat(path).catch(ifMissing))?.type === "file";
  if (!(await isFile(MACHINE_ID))) return;
  await replaceFile(files, MACHINE_ID, new Uint8Array(), { uid: 0, gid: 0, mode: 0o444 });
  if (await isFile(DBUS_MACHINE_ID)) await files.remove(DBUS_MACHINE_ID);
}

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { EngineAddress } from "../http/engine-address.ts";
import type { Instance } from "../resources/instance.ts";
import { ifUnseen } from "./if-unseen.ts";
import { poolFolder } from "./pool-folder.ts";

/**
 * Where the files of a container lie on this machine: the engine's `backup.yaml`, and beside it `rootfs`,
 * `metadata.yaml` and `templates` as far as there are any (engines.md 7). Undefined for an engine elsewhere, and
 * for storage drivers that mount a container only when they need it.
 */
export async function instanceFolder(
  address: EngineAddress,
  instance: Instance,
): Promise<string | undefined> {
  const pool = poolFolder(address, instance);
  if (!pool) return undefined;
  const folder = join(pool, "containers", instance.name);
  const found = await lstat(join(folder, "backup.yaml")).catch(ifUnseen);
  return found?.isFile() ? folder : undefined;
}

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { EngineAddress } from "../http/engine-address.ts";
import type { Instance } from "../resources/instance.ts";
import { ifUnseen } from "./if-unseen.ts";
import { poolFolder } from "./pool-folder.ts";

/**
 * Where the files of a snapshot lie on this machine: `rootfs`, and beside it `metadata.yaml` and `templates`
 * (engines.md 7). Undefined for an engine elsewhere, and for storage drivers that mount snapshots only when they
 * need them.
 */
export async function snapshotFolder(
  address: EngineAddress,
  instance: Instance,
  snapshot: string,
): Promise<string | undefined> {
  const pool = poolFolder(address, instance);
  if (!pool) return undefined;
  const folder = join(pool, "containers-snapshots", instance.name, snapshot);
  const found = await lstat(join(folder, "rootfs")).catch(ifUnseen);
  return found?.isDirectory() ? folder : undefined;
}

import { dirname, join } from "node:path";
import type { EngineAddress } from "../http/engine-address.ts";
import type { Instance } from "../resources/instance.ts";

/** Where the pool of an instance is mounted on this machine; undefined for an engine elsewhere. */
export function poolFolder(address: EngineAddress, instance: Instance): string | undefined {
  if (address.kind !== "unix") return undefined;
  const disks = Object.values(instance.expanded_devices);
  const root = disks.find(({ type, path }) => type === "disk" && path === "/");
  return root?.pool && join(dirname(address.path), "storage-pools", root.pool);
}

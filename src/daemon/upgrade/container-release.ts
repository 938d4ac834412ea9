import { TremplinError } from "../../base/tremplin-error.ts";
import { readOsRelease } from "../guest/os-release.ts";
import type { ContainerExec } from "./container-exec.ts";
import { type Release, releaseName, releaseOfOsRelease, type UpgradePath, upgradePath } from "./releases.ts";

/** The release that a container runs. Throws `invalid` for what is no Debian of the table. */
export async function readContainerRelease(inside: ContainerExec): Promise<Release> {
  using files = await inside.files();
  return releaseOfOsRelease(await readOsRelease(files));
}

/** The way of a container to a release. Throws `invalid` where there is none, or none is needed. */
export async function findUpgradePath(inside: ContainerExec, to: Release): Promise<UpgradePath> {
  const path = upgradePath(await readContainerRelease(inside), to);
  if (path) return path;
  throw new TremplinError("invalid", `it runs ${releaseName(to)} already`);
}

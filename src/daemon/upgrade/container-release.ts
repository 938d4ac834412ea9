import { TremplinError } from "../../base/tremplin-error.ts";
import { readOsRelease } from "../guest/os-release.ts";
import type { ContainerExec } from "./container-exec.ts";
import { type Release, releaseName, releaseOfOsRelease, type UpgradePath, upgradePath } from "./releases.ts";

/** The release that a container runs. Throws `invalid` if it is not a known Debian. */
export async function readContainerRelease(exec: ContainerExec): Promise<Release> {
  using files = await exec.files();
  return releaseOfOsRelease(await readOsRelease(files));
}

/** The upgrade path of a container to a release. Throws `invalid` if there is none, or if it runs the release already. */
export async function findUpgradePath(exec: ContainerExec, to: Release): Promise<UpgradePath> {
  const path = upgradePath(await readContainerRelease(exec), to);
  if (path) return path;
  throw new TremplinError("invalid", `it runs ${releaseName(to)} already`);
}

import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Architecture } from "./architecture.ts";
import type { DebianRelease } from "./debian-releases.ts";
import { type IsolatedOptions, runIsolated, succeeded } from "./isolated-program.ts";
import { lxdMetadata, templates } from "./lxd-metadata.ts";

/** The two tarballs of a split image. */
export interface ImageFiles {
  readonly rootfsPath: string;
  readonly metadataPath: string;
}

/** The paths of an image's files in its folder. */
export function imageFiles(folder: string): ImageFiles {
  return { rootfsPath: join(folder, "rootfs.tar.zst"), metadataPath: join(folder, "metadata.tar.gz") };
}

export interface PackOptions extends IsolatedOptions {
  readonly release: DebianRelease;
  readonly architecture: Architecture;
  readonly tree: string;
  readonly work: string;
  readonly created: Date;
}

/** Packs a root file system and its metadata into a folder below `work`. Returns the folder's path. */
export async function packImage(options: PackOptions): Promise<string> {
  const { release, architecture, tree, work, created } = options;
  const image = join(work, "image");
  const metadata = join(work, "metadata");
  await mkdir(image, { mode: 0o700 });
  await mkdir(join(metadata, "templates"), { recursive: true, mode: 0o755 });
  await writeFile(join(metadata, "metadata.yaml"), lxdMetadata(release, architecture, created));
  for (const [name, text] of Object.entries(templates)) {
    await writeFile(join(metadata, "templates", name), text);
  }
  const { rootfsPath, metadataPath } = imageFiles(image);
  const owners = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"];
  // The engine creates /dev at each start.
  await succeeded(
    runIsolated(
      "tar",
      ["--zstd", ...owners, "--exclude=./dev/*", "-cf", rootfsPath, "-C", tree, "."],
      options,
    ),
  );
  await succeeded(
    runIsolated(
      "tar",
      ["--gzip", "-cf", metadataPath, "-C", metadata, "metadata.yaml", "templates"],
      options,
    ),
  );
  for (const path of [rootfsPath, metadataPath]) {
    await using file = await open(path, "r+");
    await file.sync();
    await file.utimes(created, created);
  }
  return image;
}

import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { canAccess } from "../../../base/files/files.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { isOldFolder } from "../database-reset/old-folders.ts";
import { type ItemOf, labelOf, sourceLabel } from "./config-schema.ts";
import type { ConfigRestore } from "./restore-config.ts";

type Image = ItemOf<"images">;

interface Place extends ConfigRestore {
  readonly engineFolder: string;
}

/** Imports the images of the old database, with their aliases, from the files that the reset moved to `images.old`. */
export async function restoreImages(place: Place): Promise<void> {
  const { setup, restoring } = place;
  for (const image of setup.images) {
    await restoring.attempt(labelOf("images", image), () => restoreImage(place, image));
  }
}

async function restoreImage(place: Place, image: Image): Promise<void> {
  const { engine, restoring } = place;
  const { project, fingerprint, update_source } = image;
  const options = { project, signal: restoring.signal };
  const found = await engine.images.get(fingerprint, options).catch(ifMissing);
  if (!found) await upload(place, image);
  // An earlier attempt may have ended after the upload and before the update.
  const isWhole = (found?.aliases ?? []).length > 0;
  const { auto_update, expires_at, profiles, properties } = image;
  const whole = { auto_update, expires_at, profiles, properties, public: image.public };
  if (!isWhole) await engine.images.update(fingerprint, whole, options);
  const known = new Set((found?.aliases ?? []).map(({ name }) => name));
  for (const { name, description } of image.aliases.filter((alias) => !known.has(alias.name))) {
    await engine.images.addAlias(name, fingerprint, { description, ...options });
  }
  if (!update_source) return;
  const { server, alias } = update_source;
  const reason = `the engine does not take it; the image was ${alias} of ${server}: copy it from there again to have it updated`;
  restoring.note(sourceLabel(image), reason, { lasting: true });
}

async function upload({ engine, engineFolder, restoring }: Place, image: Image): Promise<void> {
  const { project, fingerprint, filename } = image;
  const file = await findFile(engineFolder, engine.flavor.layout.images, fingerprint);
  const options = { project, signal: restoring.signal };
  const { fingerprint: uploaded, existed } = (await canAccess(`${file}.rootfs`))
    ? await engine.images.uploadSplit(createReadStream(file), createReadStream(`${file}.rootfs`), options)
    : await engine.images.upload(filename, createReadStream(file), options);
  if (uploaded === fingerprint) return;
  if (!existed) await engine.images.delete(uploaded, options);
  throw new TremplinError("failed", `its file ${file} is not what it was: it may be damaged`);
}

/** Finds an image's file in the `images.old` folders of this reset and of earlier ones. */
async function findFile(engineFolder: string, images: string, fingerprint: string): Promise<string> {
  for (const name of (await readdir(engineFolder)).filter((each) => isOldFolder(each, images))) {
    const file = join(engineFolder, name, fingerprint);
    if (await canAccess(file)) return file;
  }
  throw new TremplinError("failed", "its file is not in the folder of images any more");
}

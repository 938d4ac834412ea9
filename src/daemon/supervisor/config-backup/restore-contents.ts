import { isDeepStrictEqual } from "node:util";
import type { VolumeSnapshotUpdate, VolumeUpdate } from "../../../engine/resources/pools.ts";
import { type ItemOf, labelOf, serverLabel, snapshotLabel } from "./config-schema.ts";
import type { ConfigRestore } from "./restore-config.ts";
import { restoreImages } from "./restore-images.ts";

const SECRET = "it is a secret, which the engine does not say: set it again";

interface Place extends ConfigRestore {
  readonly engineFolder: string;
}

/**
 * Restores the rest, once the containers are back: settings of pools and volumes, images, trusted clients and the
 * engine's own config. A setting that a person made meanwhile stays.
 */
export async function restoreContents(place: Place): Promise<void> {
  const { engine, setup, restoring } = place;
  const { signal } = restoring;
  for (const pool of setup.pools) {
    await restoring.attempt(labelOf("pools", pool), async () => {
      const { value } = await engine.pools.get(pool.name, { signal });
      if (value.description) return;
      const { description } = pool;
      await engine.pools.update(pool.name, (found) => ({ ...found, description }), { signal });
    });
  }
  for (const volume of setup.volumes) {
    await restoring.attempt(labelOf("volumes", volume), () => restoreVolume(place, volume));
  }
  await restoreImages(place);
  await restoreCertificates(place);
  await restoreServer(place);
}

async function restoreVolume({ engine, restoring }: Place, volume: ItemOf<"volumes">): Promise<void> {
  const { signal } = restoring;
  const { project, pool, name, description, config, snapshots } = volume;
  const options = { project, signal };
  const volumes = engine.pools.volumes(pool);
  const { value } = await volumes.get(name, options);
  const change = (found: VolumeUpdate) => ({
    description: found.description || description,
    config: { ...config, ...found.config },
  });
  const same = { description: value.description, config: { ...value.config } };
  if (!isDeepStrictEqual(change(value), same)) await volumes.update(name, change, options);
  const ofVolume = engine.pools.volumeSnapshots(pool, name);
  for (const snapshot of snapshots) {
    const changeSnapshot = (found: VolumeSnapshotUpdate) => ({
      description: found.description || snapshot.description,
      expires_at: snapshot.expires_at,
    });
    await ofVolume.update(snapshot.name, changeSnapshot, options);
    if (Object.keys(snapshot.config).length === 0) continue;
    const found = (await ofVolume.get(snapshot.name, options)).value;
    if (isDeepStrictEqual({ ...found.config }, { ...snapshot.config })) continue;
    const was = Object.entries(snapshot.config).map(([key, value]) => `${key}=${value}`);
    restoring.note(snapshotLabel(volume, snapshot), `the engine does not take it; it was ${was.join(", ")}`, {
      lasting: true,
    });
  }
}

async function restoreCertificates({ engine, setup, restoring }: Place): Promise<void> {
  const { signal } = restoring;
  const known = new Set((await engine.certificates.list({ signal })).map((each) => bare(each.certificate)));
  for (const certificate of setup.certificates) {
    const base64 = bare(certificate.certificate);
    if (known.has(base64)) continue;
    await restoring.attempt(labelOf("certificates", certificate), () =>
      engine.certificates.create({ ...certificate, certificate: base64 }, { signal }),
    );
  }
}

/** The base64 text of a PEM certificate. */
function bare(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, "");
}

async function restoreServer({ engine, setup, restoring }: Place): Promise<void> {
  const { signal } = restoring;
  const found = await engine.server.config({ signal });
  for (const [key, value] of Object.entries(setup.server ?? {})) {
    const label = serverLabel(key);
    if (typeof value === "boolean") restoring.note(label, SECRET, { lasting: true });
    else if (found[key] === undefined) {
      await restoring.attempt(label, () => engine.server.patchConfig({ [key]: value }, { signal }));
    }
  }
}

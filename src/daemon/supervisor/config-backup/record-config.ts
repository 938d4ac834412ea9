import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { hasOwn, type Project } from "../../../engine/resources/projects.ts";
import { configSchema, type EngineConfigBackup } from "./config-schema.ts";

interface ConfigQuery {
  readonly engine: Engine;
  readonly signal: AbortSignal | undefined;
}

/** Reads from an engine all parts of its database that are in no container's backup.yaml. */
export async function readEngineConfig(engine: Engine, signal?: AbortSignal): Promise<EngineConfigBackup> {
  const asking = { engine, signal };
  const projects = await engine.projects.list({ signal });
  const [pools, server, certificates] = await Promise.all([
    engine.pools.list({ signal }),
    engine.server.config({ signal }),
    engine.certificates.list({ signal }),
  ]);
  const having = (kind: Parameters<typeof hasOwn>[1]) => projects.filter((project) => hasOwn(project, kind));
  const inEach = async <T>(kind: Parameters<typeof hasOwn>[1], ask: (project: string) => Promise<T[]>) => {
    const lists = await Promise.all(
      having(kind).map(async ({ name: project }) =>
        (await ask(project)).map((item) => ({ ...item, project })),
      ),
    );
    return lists.flat();
  };
  const [zones, acls, networks, profiles, volumes, images] = await Promise.all([
    inEach("networks", (project) => zonesOf(asking, project)),
    inEach("networks", (project) => orEmpty(engine.acls.list({ project, signal }))),
    inEach("networks", (project) => networksOf(asking, project)),
    inEach("profiles", (project) => engine.profiles.list({ project, signal })),
    inEach("storage.volumes", (project) =>
      volumesOf(
        asking,
        project,
        pools.map(({ name }) => name),
      ),
    ),
    inEach("images", (project) => imagesOf(asking, project)),
  ]);
  return configSchema.parse({
    ...{ pools, projects: projects.map(describe), zones, acls, networks, profiles, volumes, images },
    ...{ server, certificates },
  });
}

function describe({ name, description, config }: Project): Project {
  return { name, description, config };
}

async function zonesOf({ engine, signal }: ConfigQuery, project: string) {
  const zones = await orEmpty(engine.zones.list({ project, signal }));
  return Promise.all(
    zones.map(async (zone) => ({
      ...zone,
      records: await engine.zones.records(zone.name).list({ project, signal }),
    })),
  );
}

async function networksOf({ engine, signal }: ConfigQuery, project: string) {
  const managed = (await engine.networks.list({ project, signal })).filter((network) => network.managed);
  const ofForwards = new Set(["bridge", "ovn"]);
  return Promise.all(
    managed.map(async (network) => ({
      ...network,
      forwards: ofForwards.has(network.type)
        ? await orEmpty(engine.networks.forwards(network.name).list({ project, signal }))
        : [],
    })),
  );
}

async function volumesOf({ engine, signal }: ConfigQuery, project: string, pools: readonly string[]) {
  const ofPools = pools.map(async (pool) => {
    const volumes = (await engine.pools.volumes(pool).list({ project, signal })).filter(isNoSnapshot);
    return Promise.all(
      volumes.map(async (volume) => {
        const snapshots = await engine.pools.volumeSnapshots(pool, volume.name).list({ project, signal });
        return {
          ...volume,
          pool,
          snapshots: snapshots.map((each) => ({ ...each, name: lastPart(each.name) })),
        };
      }),
    );
  });
  return (await Promise.all(ofPools)).flat();
}

/**
 * The images without the engine's cache: an image that it fetched by itself for a container, and that has no alias. The
 * engine fetches that again when it needs it.
 */
async function imagesOf({ engine, signal }: ConfigQuery, project: string) {
  const images = await engine.images.list({ project, signal });
  return images
    .filter(({ cached, aliases }) => !cached || (aliases ?? []).length > 0)
    .map((image) => ({ ...image, aliases: image.aliases ?? [] }));
}

function isNoSnapshot({ name }: { name: string }): boolean {
  return !name.includes("/");
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** An empty list where an older engine does not have the endpoint. */
async function orEmpty<T>(list: Promise<T[]>): Promise<T[]> {
  return (await list.catch(ifMissing)) ?? [];
}

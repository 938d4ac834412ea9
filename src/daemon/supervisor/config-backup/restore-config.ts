import { isDeepStrictEqual } from "node:util";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { flavors } from "../../../engine/flavors/flavors.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Devices, ProfileUpdate } from "../../../engine/resources/profiles.ts";
import { DEFAULT_PROJECT, type ProjectUpdate } from "../../../engine/resources/projects.ts";
import { markOptional } from "../database-reset/missing-sources.ts";
import { formatSubnet, freeSubnet } from "../network/subnet.ts";
import { usedSubnets } from "../network/used-subnets.ts";
import { type EngineConfigBackup, type ItemOf, labelOf } from "./config-schema.ts";
import type { RestoreLog } from "./restore-log.ts";

/** The engine's sentences for what an import lacks (`DependencyErrors`). */
const MISSING = /^(?:(Network|Profile) "(.+)" in project "(.+)"|Project "(.+)")$/;
/** The engine makes it in each new project. */
const DEFAULT_PROFILE = "default";
const UNKNOWN_CONFIG = "what it was is not known any more; it was made with defaults";

export interface ConfigRestore {
  readonly engine: Engine;
  readonly setup: EngineConfigBackup;
  readonly restoring: RestoreLog;
}

/**
 * Restores what containers refer to into a new database: projects, networks and profiles. An item that exists
 * already, from an earlier attempt or made by a person, is only completed.
 */
export async function restoreConfig(restore: ConfigRestore): Promise<void> {
  const { engine, setup, restoring } = restore;
  for (const project of setup.projects) {
    await restoring.attempt(labelOf("projects", project), () => restoreProject(restore, project));
  }
  for (const zone of setup.zones) {
    await restoring.attempt(labelOf("zones", zone), () => restoreZone(restore, zone));
  }
  await restoreAcls(restore);
  for (const network of setup.networks) {
    await restoring.attempt(labelOf("networks", network), () =>
      makeNetwork(engine, network, restoring.signal),
    );
  }
  for (const profile of setup.profiles) {
    await restoring.attempt(labelOf("profiles", profile), () =>
      makeProfile(engine, profile, restoring.signal),
    );
  }
}

/**
 * Creates what containers refer to and the config backup does not have: a bridge with a free subnet, an empty
 * profile, a project. Throws `failed` for a kind that cannot be created.
 */
export async function createMissing(restore: ConfigRestore, missing: readonly string[]): Promise<void> {
  const { engine, setup, restoring } = restore;
  const { signal } = restoring;
  for (const sentence of missing) {
    const [, what, named, project = DEFAULT_PROJECT, ownProject] = MISSING.exec(sentence) ?? [];
    const name = named ?? ownProject;
    if (!name)
      throw new TremplinError(
        "failed",
        `before containers can be recovered, the engine needs: ${missing.join("; ")}`,
      );
    const empty = { name, project, description: "", config: {} };
    if (ownProject) {
      restoring.note(labelOf("projects", empty), UNKNOWN_CONFIG);
      // The same features as in a project that the engine's own client creates.
      await engine.projects.create({ name, description: "", config: ownFeatures }, { signal });
    } else if (what === "Network") {
      const known = setup.networks.find((each) => each.name === name && each.project === project);
      const network = known ?? { ...empty, type: "bridge", forwards: [], config: await freeBridgeConfig() };
      if (!known) restoring.note(labelOf("networks", network), UNKNOWN_CONFIG);
      await makeNetwork(engine, network, signal);
    } else {
      const known = setup.profiles.find((each) => each.name === name && each.project === project);
      const profile = known ?? { ...empty, devices: {} };
      if (!known) restoring.note(labelOf("profiles", profile), UNKNOWN_CONFIG);
      await makeProfile(engine, profile, signal);
    }
  }
}

const ownFeatures: Config = {
  "features.images": "true",
  "features.profiles": "true",
  "features.storage.volumes": "true",
};

/** Adds the disks on pools to the profiles, which the engine refuses before it knows the pools. */
export async function completeProfiles({ engine, setup, restoring }: ConfigRestore): Promise<void> {
  const { signal } = restoring;
  for (const profile of setup.profiles) {
    const { name, project, devices } = profile;
    if (!Object.values(devices).some(({ pool }) => pool)) continue;
    await restoring.attempt(labelOf("profiles", profile), async () => {
      const whole = await markOptional(devices);
      const change = (found: ProfileUpdate) => ({ ...found, devices: { ...whole, ...found.devices } });
      await engine.profiles.update(name, change, { project, signal });
    });
  }
}

async function restoreProject(
  { engine, restoring: { signal } }: ConfigRestore,
  project: ItemOf<"projects">,
): Promise<void> {
  const found = await engine.projects.get(project.name, { signal }).catch(ifMissing);
  const { name, description, config } = project;
  if (!found) await engine.projects.create({ name, description, config }, { signal });
  else {
    const change = (there: ProjectUpdate) => ({
      description: there.description || description,
      config: { ...config, ...there.config },
    });
    if (isDeepStrictEqual(change(found.value), pick(found.value))) return;
    await engine.projects.update(name, change, { signal });
  }
}

async function restoreZone(
  { engine, restoring: { signal } }: ConfigRestore,
  { records, project, name, description, config }: ItemOf<"zones">,
): Promise<void> {
  const options = { project, signal };
  if (!(await engine.zones.get(name, options).catch(ifMissing))) {
    await engine.zones.create({ name, description, config }, options);
  }
  const ofZone = engine.zones.records(name);
  for (const record of records) {
    if (!(await ofZone.get(record.name, options).catch(ifMissing))) await ofZone.create(record, options);
  }
}

/** Creates all of them empty first, because the rules of one may name another. */
async function restoreAcls({ engine, setup, restoring }: ConfigRestore): Promise<void> {
  const { signal } = restoring;
  for (const acl of setup.acls) {
    const { project, name, description, config } = acl;
    await restoring.attempt(labelOf("acls", acl), async () => {
      if (await engine.acls.get(name, { project, signal }).catch(ifMissing)) return;
      await engine.acls.create({ name, description, config, ingress: [], egress: [] }, { project, signal });
    });
  }
  for (const acl of setup.acls.filter((each) => !restoring.missing.has(labelOf("acls", each)))) {
    const { project, name, description, config } = acl;
    const rules = { ingress: acl.ingress ?? [], egress: acl.egress ?? [] };
    await restoring.attempt(labelOf("acls", acl), async () => {
      const { value } = await engine.acls.get(name, { project, signal });
      if (value.ingress.length + value.egress.length > 0) return;
      await engine.acls.update(name, () => ({ description, config, ...rules }), { project, signal });
    });
  }
}

async function makeNetwork(engine: Engine, network: ItemOf<"networks">, signal: AbortSignal): Promise<void> {
  const { name, project, type, description, forwards } = network;
  const options = { project, signal };
  if (!(await engine.networks.get(name, options).catch(ifMissing))?.value.managed) {
    const config = Object.fromEntries(
      Object.entries(network.config).filter(([key]) => !key.startsWith("volatile.")),
    );
    await engine.networks.create({ name, type, description, config }, options);
  }
  const ofNetwork = engine.networks.forwards(name);
  for (const forward of forwards) {
    if (await ofNetwork.get(forward.listen_address, options).catch(ifMissing)) continue;
    await ofNetwork.create({ ...forward, config: forward.config ?? {}, ports: forward.ports ?? [] }, options);
  }
}

/** The prefix length of the subnet of a bridge whose config is lost. */
const RESTORED_PREFIX = 24;

async function freeBridgeConfig(): Promise<Config> {
  return {
    "ipv4.address": formatSubnet(freeSubnet(await usedSubnets(), RESTORED_PREFIX)),
    "ipv6.address": "none",
  };
}

async function makeProfile(engine: Engine, profile: ItemOf<"profiles">, signal: AbortSignal): Promise<void> {
  const { name, project, description, config } = profile;
  const ofNoPool = Object.fromEntries(Object.entries(profile.devices).filter(([, { pool }]) => !pool));
  const devices: Devices = await markOptional(ofNoPool);
  const options = { project, signal };
  // The network card must exist before the containers: cloud-init takes a container whose card comes later for a new machine.
  if (name === DEFAULT_PROFILE) {
    const change = (found: ProfileUpdate): ProfileUpdate => ({
      description: isEngineDescription(found.description) ? description : found.description,
      config: { ...config, ...found.config },
      devices: { ...devices, ...found.devices },
    });
    await engine.profiles.update(name, change, options);
  } else if (!(await engine.profiles.get(name, options).catch(ifMissing))) {
    await engine.profiles.create({ name, description, config, devices }, options);
  }
}

/** Whether it is the description that an engine gives the default profile of a new project. */
function isEngineDescription(description: string): boolean {
  return description === "" || flavors.some(({ texts }) => texts.defaultProfile.test(description));
}

function pick({ description, config }: { description: string; config: Config }) {
  return { description, config: { ...config } };
}

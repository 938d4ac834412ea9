import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/if-missing.ts";
import { formatSubnet, freeSubnet, usedSubnets } from "../subnet.ts";
import type { EngineSetup } from "./engine-setup.ts";
import { withoutNeed } from "./missing-sources.ts";

/** What the engine calls what it lacks (`DependencyErrors`). */
const MISSING = /^(Network|Profile) "(.+)" in project "default"$/;
const OWN_PROFILE = "default";

/** Gives an engine with a new database the networks and profiles that the old one had. */
export async function restoreSetup(engine: Engine, setup: EngineSetup, signal: AbortSignal): Promise<void> {
  for (const { name } of setup.networks) await makeNetwork(engine, name, setup, signal);
  for (const { name } of setup.profiles) await makeProfile(engine, name, setup, signal);
}

/**
 * Makes what containers refer to and what was never written down: a bridge with an address of its own, an empty
 * profile. Throws `failed` for what cannot be made.
 */
export async function makeMissing(
  engine: Engine,
  missing: readonly string[],
  { setup, log, signal }: { setup: EngineSetup; log: Logger; signal: AbortSignal },
): Promise<void> {
  for (const sentence of missing) {
    const [, what, name] = MISSING.exec(sentence) ?? [];
    if (!name) throw new TremplinError("failed", `recovering containers needs first: ${missing.join("; ")}`);
    log.warn({ what, name }, "containers refer to what is not known any more; making it anew");
    await (what === "Network" ? makeNetwork : makeProfile)(engine, name, setup, signal);
  }
}

/** Gives the profiles their disks of pools, which could not be until the pools were known. */
export async function completeProfiles(
  engine: Engine,
  setup: EngineSetup,
  signal: AbortSignal,
): Promise<void> {
  for (const { name, devices } of setup.profiles) {
    if (name === OWN_PROFILE || !Object.values(devices).some(({ pool }) => pool)) continue;
    const whole = await withoutNeed(devices);
    await engine.profiles.update(name, (profile) => ({ ...profile, devices: whole }), { signal });
  }
}

async function makeNetwork(
  engine: Engine,
  name: string,
  setup: EngineSetup,
  signal: AbortSignal,
): Promise<void> {
  if ((await engine.networks.get(name, { signal }).catch(ifMissing))?.value.managed) return;
  const known = setup.networks.find((network) => network.name === name) ?? {
    name,
    config: await anyBridge(),
  };
  const config = Object.fromEntries(
    Object.entries(known.config).filter(([key]) => !key.startsWith("volatile.")),
  );
  await engine.networks.create({ ...known, config }, { signal });
}

async function anyBridge(): Promise<Record<string, string>> {
  return { "ipv4.address": formatSubnet(freeSubnet(await usedSubnets())), "ipv6.address": "none" };
}

async function makeProfile(
  engine: Engine,
  name: string,
  setup: EngineSetup,
  signal: AbortSignal,
): Promise<void> {
  const known = setup.profiles.find((profile) => profile.name === name);
  const { description = "", config = {} } = known ?? {};
  const ofNoPool = Object.fromEntries(Object.entries(known?.devices ?? {}).filter(([, { pool }]) => !pool));
  const devices = await withoutNeed(ofNoPool);
  // Its network card must be there before the containers: to cloud-init, one that comes later is another machine.
  if (name === OWN_PROFILE) {
    await engine.profiles.update(name, () => ({ description, config, devices }), { signal });
  } else if (!(await engine.profiles.get(name, { signal }).catch(ifMissing))) {
    await engine.profiles.create({ name, description, config, devices }, { signal });
  }
}

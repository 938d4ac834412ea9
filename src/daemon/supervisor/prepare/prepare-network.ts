import { isDeepStrictEqual } from "node:util";
import type { Logger } from "../../../base/logger.ts";
import { isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Site } from "../../sites/site.ts";
import { listeningSockets, usedPort } from "../network/name-server.ts";
import { formatSubnet, freeSubnet, type Subnet, subnetIn } from "../network/subnet.ts";
import { usedSubnets } from "../network/used-subnets.ts";
import { mergeSettings } from "./merge-settings.ts";
import type { WrittenSettings } from "./written-settings.ts";

const ADDRESS = "ipv4.address";

interface Wanted {
  readonly bridge: string;
  /** Default: the subnet that the bridge has already, else a free one. */
  readonly subnet: Subnet | undefined;
  readonly site: Site;
  /** The engine is external: an existing network stays as it is. */
  readonly attached: boolean;
  readonly settings: WrittenSettings;
  readonly log: Logger;
}

/**
 * Creates the bridge network of the containers, or merges the site's config into an existing one. The requested subnet
 * is the only setting that replaces a person's.
 */
export async function prepareNetwork(engine: Engine, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const { bridge, subnet, site } = wanted;
  const existing = await engine.networks.get(bridge, { signal }).catch(ifMissing);
  if (existing && !existing.value.managed) {
    throw new TremplinError(
      "failed",
      `the network interface ${bridge} exists already and is not managed by this engine; give another name with --bridge`,
    );
  }
  const kept = existing?.value.config ?? {};
  const address = subnet ? formatSubnet(subnet) : (kept[ADDRESS] ?? (await freeAddress(site)));
  const config = { ...site.network, [ADDRESS]: address };
  try {
    if (!existing) await create(engine, config, wanted, signal);
    else if (!wanted.attached) await merge(engine, { found: kept, config }, wanted, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw await explain(error, bridge, address);
  }
}

/** The engine only says that the server of the bridge failed. */
async function explain(error: unknown, bridge: string, address: string): Promise<unknown> {
  const subnet = subnetIn(address);
  if (isUnavailable(error) || !subnet) return error;
  const fault = usedPort(bridge, subnet, await listeningSockets().catch(() => []));
  return fault ? new TremplinError("failed", `${fault.problem}: ${fault.advice}`, error) : error;
}

async function create(
  engine: Engine,
  config: Config,
  { bridge, attached, settings }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const parts = { [networkPart(bridge)]: config };
  if (!attached) await settings.begin(parts);
  await engine.networks.create({ name: bridge, type: "bridge", config }, { signal });
  if (!attached) await settings.confirm(parts);
}

async function merge(
  engine: Engine,
  { found, config }: { found: Config; config: Config },
  { bridge, subnet, settings, log }: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const part = networkPart(bridge);
  const forced = new Set(subnet ? [ADDRESS] : []);
  const ours = settings.of<string>(part);
  const mergeInto = (there: Config) => mergeSettings(there, config, ours, { forced });
  let merged = mergeInto(found);
  if (merged.kept.length > 0) {
    log.info({ network: bridge, keys: merged.kept }, "settings of a person differ from the site's and stay");
  }
  if (!isDeepStrictEqual(merged.entries, { ...found })) {
    await settings.begin({ [part]: merged.written });
    const change = (network: { config: Config; description: string }) => {
      merged = mergeInto(network.config);
      return { ...network, config: merged.entries };
    };
    await engine.networks.update(bridge, change, { signal });
  }
  await settings.confirm({ [part]: merged.written });
}

/** The part of WrittenSettings for the config of a network. */
export function networkPart(name: string): string {
  return `network ${name} config`;
}

async function freeAddress({ subnetPrefix }: Site): Promise<string> {
  return formatSubnet(freeSubnet(await usedSubnets(), subnetPrefix));
}

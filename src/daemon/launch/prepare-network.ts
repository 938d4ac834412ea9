import { isDeepStrictEqual } from "node:util";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { Site } from "../sites/site.ts";
import { formatSubnet, freeSubnet, type Subnet, usedSubnets } from "./subnet.ts";

interface Wanted {
  readonly bridge: string;
  /** Default: what the bridge has already, else a free one. */
  readonly subnet: Subnet | undefined;
  readonly site: Site;
  /** The engine is somebody else's: what is there is left as it is. */
  readonly attached: boolean;
}

/** Makes the bridge network of the containers, or gives the one that exists its config (behaviour.md 2.6). */
export async function prepareNetwork(engine: Engine, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const existing = await engine.networks.get(wanted.bridge, { signal }).catch(ifMissing);
  if (existing && !existing.value.managed) {
    throw new TremplinError(
      "failed",
      `the network interface ${wanted.bridge} exists already and is not managed by this engine; give another name with --bridge`,
    );
  }
  const kept = existing?.value.config ?? {};
  const address = wanted.subnet
    ? formatSubnet(wanted.subnet)
    : (kept["ipv4.address"] ?? (await anyAddress()));
  const config = { ...wanted.site.network, "ipv4.address": address };
  if (!existing) {
    await engine.networks.create({ name: wanted.bridge, type: "bridge", config }, { signal });
  } else if (!wanted.attached) {
    const volatile = Object.entries(kept).filter(([key]) => key.startsWith("volatile."));
    const fresh = { ...Object.fromEntries(volatile), ...config };
    if (!isDeepStrictEqual(fresh, { ...kept })) {
      await engine.networks.update(wanted.bridge, (network) => ({ ...network, config: fresh }), { signal });
    }
  }
}

async function anyAddress(): Promise<string> {
  return formatSubnet(freeSubnet(await usedSubnets()));
}

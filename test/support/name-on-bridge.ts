import { Resolver } from "node:dns/promises";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
import { eventually } from "./eventually.ts";

/**
 * Makes the name server of a daemon's bridge give the bridge's own address for a name, so that a test's server has a
 * name in containers, as real mirrors have.
 */
export async function nameOnBridge(daemon: TestDaemon, engine: Engine, name: string): Promise<void> {
  const address = `${daemon.addressPrefix}1`;
  await engine.networks.update(daemon.bridge, (network) => ({
    ...network,
    config: { ...network.config, "raw.dnsmasq": `address=/${name}/${address}` },
  }));
  // The engine restarts the name server.
  await eventually(
    `the name ${name}`,
    async () => (await addressesOnBridge(daemon, name)).includes(address) || undefined,
  );
}

/** What the name server of a daemon's bridge answers; none while it does not know the name. */
export async function addressesOnBridge({ addressPrefix }: TestDaemon, name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`${addressPrefix}1`]);
  return await resolver.resolve4(name).catch(() => []);
}

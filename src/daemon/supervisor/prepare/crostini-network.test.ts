import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationBench } from "../../../../test/support/operation-bench.ts";
import { silentLogger } from "../../../base/logger.ts";
import { crostini } from "../../sites/crostini.ts";
import { parseSubnet } from "../network/subnet.ts";
import { prepareNetwork } from "./prepare-network.ts";
import { WrittenSettings } from "./written-settings.ts";

const BRIDGE = "lxdbr0";
const signal = new AbortController().signal;

/** The config of the bridge when a daemon with the arguments of ChromiumOS's host has prepared it. */
async function prepared({ client }: OperationBench) {
  const settings = await WrittenSettings.open({ file: undefined, deferred: false, log: silentLogger });
  const subnet = parseSubnet("100.115.92.193/28");
  const wanted = { bridge: BRIDGE, subnet, site: crostini, attached: false, settings, log: silentLogger };
  await prepareNetwork(client, wanted, signal);
  return (await client.networks.get(BRIDGE)).value.config;
}

test("a host of ChromiumOS finds the bridge that it expects: leases never end, so addresses stay", async () => {
  await using bench = await OperationBench.open();
  assert.deepEqual(await prepared(bench), {
    "ipv4.address": "100.115.92.193/28",
    "ipv4.dhcp.expiry": "infinite",
    "ipv6.address": "none",
    "raw.dnsmasq": "resolv-file=/run/resolv.conf\ndhcp-authoritative\nno-ping\naddn-hosts=/etc/arc_host.conf",
  });
});

test("a bridge of an earlier version gets what it lacks", async () => {
  await using bench = await OperationBench.open();
  const config = { "ipv4.address": "100.115.92.193/28", "ipv6.address": "none" };
  await bench.client.networks.create({ name: BRIDGE, type: "bridge", config });
  assert.equal((await prepared(bench))["ipv4.dhcp.expiry"], "infinite");
});

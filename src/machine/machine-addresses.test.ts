import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../transport/address.ts";
import { machineAddresses } from "./machine-addresses.ts";

const settings = {
  memory: 1024,
  cpus: 1,
  accelerator: "kvm",
  foundAt: "",
  ports: { daemon: 1001, ssh: 1002, listener: 1003 },
} as const;

for (const [way, machine, addresses] of [
  [
    "vsock",
    { ...settings, cid: 77 },
    ["vsock:any:8890", "vsock:host:1003", "vsock:any:1003", "vsock:77:8890"],
  ],
  [
    "the user network",
    settings,
    ["tcp:0.0.0.0:8890", "tcp:10.0.2.2:1003", "tcp:127.0.0.1:1003", "tcp:127.0.0.1:1001"],
  ],
] as const) {
  test(`host and daemon connect by ${way}`, () => {
    const found = machineAddresses(machine);
    const { daemonListens, daemonFindsHost, hostListens, hostFindsDaemon } = found;
    const all = [daemonListens, daemonFindsHost, hostListens, hostFindsDaemon];
    assert.deepEqual(all.map(formatAddress), addresses);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { systemClock } from "../../base/async/clock.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FullInstance } from "../../engine/resources/instance.ts";
import type { LockHolder } from "../operations/runner/locks.ts";
import { listContainers } from "./list-containers.ts";
import type { RpcDeps } from "./rpc.ts";

const STATE = {
  status: "Running",
  status_code: 103,
  pid: 7,
  network: {
    lo: { addresses: [], counters: { bytes_received: 9, bytes_sent: 9 } },
    eth0: {
      addresses: [
        { family: "inet6", address: "fd00::2", scope: "global" },
        { family: "inet6", address: "fe80::2", scope: "link" },
        { family: "inet", address: "10.0.0.2", scope: "global" },
      ],
      counters: { bytes_received: 100, bytes_sent: 20 },
    },
    wg0: { addresses: null },
  },
  disk: { root: { usage: 5_000 } },
  memory: { usage: 4_096, usage_peak: 9_000 },
  processes: 3,
  cpu: { usage: 123_456 },
};

const INSTANCE = {
  name: "web",
  type: "container",
  status: "Running",
  created_at: "2026-01-01T00:00:00Z",
  last_used_at: "2026-02-01T00:00:00Z",
  config: { "image.description": "Debian" },
  expanded_config: { "limits.memory": "2GiB" },
  snapshots: null,
  state: STATE,
};

function deps(instances: readonly object[], holder?: Partial<LockHolder>) {
  let requests = 0;
  const listFull = async () => {
    requests++;
    return instances as FullInstance[];
  };
  const engine = { running: () => ({ instances: { listFull } }) as unknown as Engine };
  const runner = { locks: { holder: () => holder } } as unknown as RpcDeps["runner"];
  return { engine, runner, clock: systemClock, requests: () => requests };
}

test("one request of the engine has all of every container", async () => {
  const others = Array.from({ length: 20 }, (_, index) => ({ ...INSTANCE, name: `c${index}` }));
  const at = deps([INSTANCE, ...others], { kind: "export" });
  const { containers } = await listContainers(at)({});
  assert.equal(at.requests(), 1);
  assert.equal(containers.length, 21);
  const [web] = containers;
  assert.equal(web?.ipv4Address, "10.0.0.2");
  assert.deepEqual(web?.addresses, ["10.0.0.2", "fd00::2"]);
  assert.equal(web?.operation, "export");
  assert.ok(web && "usage" in web);
  const { measuredAt, ...usage } = web.usage;
  assert.ok(measuredAt);
  assert.deepEqual(usage, {
    cpuNanoseconds: 123_456n,
    memoryBytes: 4_096n,
    memoryLimitBytes: 2n * 1024n ** 3n,
    processes: 3,
    receivedBytes: 100n,
    sentBytes: 20n,
    diskBytes: 5_000n,
  });
});

test("a container that is stopped, or of which the engine knows little, is listed too", async () => {
  const stopped = { ...STATE, pid: 0, network: null, disk: null };
  const unmeasured = { ...STATE, cpu: { usage: -1 }, memory: { usage: -1 }, processes: -1, disk: {} };
  const { containers } = await listContainers(
    deps([
      { ...INSTANCE, status: "Stopped", state: stopped, last_used_at: "1970-01-01T00:00:00Z" },
      { ...INSTANCE, name: "old", state: null, expanded_config: {} },
      { ...INSTANCE, name: "odd", state: unmeasured, expanded_config: { "limits.memory": "50%" } },
      { ...INSTANCE, name: "vm", type: "virtual-machine" },
      { ...INSTANCE, name: "tremplin-create-0123456789abcdef" },
    ]),
  )({});
  assert.deepEqual(
    containers.map(({ name, addresses }) => [name, addresses.length]),
    [
      ["web", 0],
      ["old", 0],
      ["odd", 2],
    ],
  );
  const [web, old, odd] = containers;
  assert.ok(web && !("usage" in web) && !("lastUsedAt" in web));
  assert.ok(old && !("usage" in old));
  assert.ok(odd && "usage" in odd);
  const { memoryBytes, cpuNanoseconds, processes, memoryLimitBytes } = odd.usage;
  assert.deepEqual([memoryBytes, cpuNanoseconds, processes, memoryLimitBytes], [0n, 0n, 0, 0n]);
});

test("an engine answers the whole list at once", async () => {
  await using memory = await MemoryEngine.open();
  await using engine = await memory.connect();
  const runner = { locks: { holder: () => undefined } } as unknown as RpcDeps["runner"];
  const { containers } = await listContainers({
    engine: { running: () => engine },
    runner,
    clock: systemClock,
  })({});
  assert.deepEqual(containers, []);
});

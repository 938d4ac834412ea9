import assert from "node:assert/strict";
import { test } from "node:test";
import { FakePorts } from "../../../../test/support/fake-ports.ts";
import { silentLogger } from "../../../base/logger.ts";
import { ContainerPorts } from "./container-ports.ts";
import { PortReader } from "./port-reader.ts";

const elapsed = 225;

/** Sockets of which reading all takes so many milliseconds. */
function slow(milliseconds: number): FakePorts {
  const source = new FakePorts(80);
  const ports = source.ports.bind(source);
  source.ports = function* () {
    for (const end = performance.now() + milliseconds; performance.now() < end; );
    yield* ports();
  };
  return source;
}

async function setUp(...sources: FakePorts[]) {
  const containers = sources.map((source) => new ContainerPorts(source, silentLogger));
  const reader = new PortReader();
  await reader.readChanged(containers, elapsed);
  for (const source of sources) source.reads = 0;
  return { containers, reader };
}

test("only containers that may have changed are read", async () => {
  const sources = [new FakePorts(80), new FakePorts(80), new FakePorts(80)];
  const [opens, swaps, idles] = sources as [FakePorts, FakePorts, FakePorts];
  const { containers, reader } = await setUp(...sources);
  opens.listen(80, 81);
  swaps.listen(82);
  await reader.readChanged(containers, elapsed);
  assert.deepEqual(
    containers.map(({ ports }) => ports),
    [[80, 81], [82], [80]],
  );
  assert.equal(idles.reads, 0);
});

test("one that fails does not keep the others from being read", async () => {
  const sources = [new FakePorts(80), new FakePorts(80)];
  const [fails, opens] = sources as [FakePorts, FakePorts];
  const { containers, reader } = await setUp(...sources);
  fails.error = new Error("it cannot be read");
  opens.listen(80, 81);
  await reader.readChanged(containers, elapsed);
  assert.deepEqual(
    containers.map(({ ports }) => ports),
    [[80], [80, 81]],
  );
});

test("possible changes are read in turn, within a small share of the time", async () => {
  // Each takes 1.5 ms: more of them than the saved credit pays for at once.
  const sources = Array.from({ length: 30 }, () => slow(1.5));
  const { containers, reader } = await setUp(...sources);
  const readOnce = async (): Promise<number> => {
    for (const source of sources) source.run();
    await reader.readChanged(containers, elapsed);
    return sources.filter(({ reads }) => reads > 0).length;
  };
  const first = await readOnce();
  assert.ok(first > 1 && first <= 15, `${first} at once`);
  let rounds = 0;
  while (sources.some(({ reads }) => reads === 0)) {
    await readOnce();
    assert.ok(++rounds < 500, "each is read in the end");
  }
  // The container that waited longest came first: none was read three times before all were read once.
  assert.ok(sources.every(({ reads }) => reads <= 2));
  // A certain change is read at once, however much time the possible ones took.
  sources[0]?.listen(80, 81);
  await reader.readChanged(containers, elapsed);
  assert.deepEqual(containers[0]?.ports, [80, 81]);
});

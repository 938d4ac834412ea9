import assert from "node:assert/strict";
import { test } from "node:test";
import { FakePorts } from "../../../../test/support/fake-ports.ts";
import { silentLogger } from "../../../base/logger.ts";
import { ContainerPorts } from "./container-ports.ts";

const elapsed = 225;

async function setUp(...listening: number[]) {
  const source = new FakePorts(...listening);
  const container = new ContainerPorts(source, silentLogger);
  return { source, container };
}

test("the first glance finds something to read", async () => {
  const { container } = await setUp(443, 80);
  assert.equal(container.ports, undefined);
  assert.equal(container.glance(elapsed), "changed");
  await container.read();
  assert.deepEqual(container.ports, [80, 443]);
  assert.equal(container.glance(elapsed), "same");
});

test("another number of sockets is a change; as many as before, where a program ran, are doubtful", async () => {
  const { source, container } = await setUp(80);
  await container.read();
  source.listen(80, 81);
  assert.equal(container.glance(elapsed), "changed");
  await container.read();
  source.listen(80, 82);
  assert.equal(container.glance(elapsed), "doubtful");
  assert.equal(container.glance(elapsed), "doubtful");
  await container.read();
  assert.deepEqual(container.ports, [80, 82]);
  assert.equal(container.glance(elapsed), "same");
});

test("where the kernel does not tell whether programs ran, every glance is doubtful", async () => {
  const { source, container } = await setUp(80);
  source.showsActivity = false;
  await container.read();
  assert.equal(container.glance(elapsed), "doubtful");
});

test("what changes while the ports are read shows at the next glance", async () => {
  const { source, container } = await setUp(80);
  const ports = source.ports.bind(source);
  source.ports = function* () {
    yield* ports();
    source.listen(80, 81);
  };
  await container.read();
  assert.deepEqual(container.ports, [80]);
  assert.equal(container.glance(elapsed), "changed");
});

test("what changes between a glance and the reading is read, and never missed", async () => {
  const { source, container } = await setUp(80);
  await container.read();
  source.listen(80, 81);
  assert.equal(container.glance(elapsed), "changed");
  source.listen(82, 83, 84);
  await container.read();
  assert.deepEqual(container.ports, [82, 83, 84]);
  source.listen(83, 84);
  assert.notEqual(container.glance(elapsed), "same");
  await container.read();
  assert.deepEqual(container.ports, [83, 84]);
  assert.equal(container.glance(elapsed), "same");
});

test("nobody listens in a container that has ended, whoever finds out", async () => {
  for (const look of [
    (container: ContainerPorts) => container.glance(elapsed),
    (container: ContainerPorts) => container.isAlive,
    (container: ContainerPorts) => container.read(),
  ]) {
    const { source, container } = await setUp(80);
    await container.read();
    assert.equal(container.isAlive, true);
    source.run();
    source.end();
    await look(container);
    assert.deepEqual(container.ports, []);
    assert.equal(container.isAlive, false);
    assert.equal(container.glance(elapsed), "same");
  }
});

test("an error leaves the ports as they were and is not met again at once", async () => {
  const { source, container } = await setUp(80);
  await container.read();
  source.error = Object.assign(new Error("too many open files"), { code: "EMFILE" });
  assert.equal(container.glance(elapsed), "same");
  assert.deepEqual(container.ports, [80]);
  source.error = undefined;
  source.listen();
  assert.equal(container.glance(elapsed), "same");
  assert.equal(container.glance(5_000), "changed");
});

test("long tables rest, so that they do not take more than a small part of the time", async () => {
  const { source, container } = await setUp(80);
  const ports = source.ports.bind(source);
  source.ports = function* () {
    for (const end = performance.now() + 50; performance.now() < end; ) yield [22];
    yield* ports();
  };
  const work = await container.read();
  assert.ok(work >= 10, `${work} ms`);
  source.listen();
  assert.equal(container.glance(work * 18), "same");
  assert.equal(container.glance(work * 2), "changed");
});

test("what was disposed is not read any more", async () => {
  const { source, container } = await setUp(80);
  container[Symbol.dispose]();
  assert.equal(source.disposed, true);
  await container.read();
  assert.equal(source.reads, 0);
});

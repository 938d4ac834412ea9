import assert from "node:assert/strict";
import { test } from "node:test";
import { FakePorts } from "../../../../test/support/fake-ports.ts";
import { silentLogger } from "../../../base/logger.ts";
import { ContainerPorts, collectPorts } from "./container-ports.ts";

const elapsed = 225;

async function setUp(...listening: number[]) {
  const source = new FakePorts(...listening);
  const container = new ContainerPorts(source, silentLogger);
  return { source, container };
}

test("the first check finds something to read", async () => {
  const { container } = await setUp(443, 80);
  assert.equal(container.ports, undefined);
  assert.equal(container.checkForChange(elapsed), "changed");
  await container.read();
  assert.deepEqual(container.ports, [80, 443]);
  assert.equal(container.checkForChange(elapsed), "same");
});

test("another number of sockets is a change; as many as before, where a program ran, are doubtful", async () => {
  const { source, container } = await setUp(80);
  await container.read();
  source.listen(80, 81);
  assert.equal(container.checkForChange(elapsed), "changed");
  await container.read();
  source.listen(80, 82);
  assert.equal(container.checkForChange(elapsed), "possible");
  assert.equal(container.checkForChange(elapsed), "possible");
  await container.read();
  assert.deepEqual(container.ports, [80, 82]);
  assert.equal(container.checkForChange(elapsed), "same");
});

test("without processor times of a container every check reports a possible change", async () => {
  const { source, container } = await setUp(80);
  source.showsActivity = false;
  await container.read();
  assert.equal(container.checkForChange(elapsed), "possible");
});

test("what changes while the ports are read shows at the next check", async () => {
  const { source, container } = await setUp(80);
  const ports = source.ports.bind(source);
  source.ports = function* () {
    yield* ports();
    source.listen(80, 81);
  };
  await container.read();
  assert.deepEqual(container.ports, [80]);
  assert.equal(container.checkForChange(elapsed), "changed");
});

test("what changes between the check and the read is read, and never missed", async () => {
  const { source, container } = await setUp(80);
  await container.read();
  source.listen(80, 81);
  assert.equal(container.checkForChange(elapsed), "changed");
  source.listen(82, 83, 84);
  await container.read();
  assert.deepEqual(container.ports, [82, 83, 84]);
  source.listen(83, 84);
  assert.notEqual(container.checkForChange(elapsed), "same");
  await container.read();
  assert.deepEqual(container.ports, [83, 84]);
  assert.equal(container.checkForChange(elapsed), "same");
});

test("a container that has ended has no ports", async () => {
  for (const look of [
    (container: ContainerPorts) => container.checkForChange(elapsed),
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
    assert.equal(container.checkForChange(elapsed), "same");
  }
});

test("an error leaves the ports as they were and is not met again at once", async () => {
  const { source, container } = await setUp(80);
  await container.read();
  source.error = Object.assign(new Error("too many open files"), { code: "EMFILE" });
  assert.equal(container.checkForChange(elapsed), "same");
  assert.deepEqual(container.ports, [80]);
  source.error = undefined;
  source.listen();
  assert.equal(container.checkForChange(elapsed), "same");
  assert.equal(container.checkForChange(5_000), "changed");
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
  assert.equal(container.checkForChange(work * 18), "same");
  assert.equal(container.checkForChange(work * 2), "changed");
});

test("what was disposed is not read any more", async () => {
  const { source, container } = await setUp(80);
  container[Symbol.dispose]();
  assert.equal(source.disposed, true);
  await container.read();
  assert.equal(source.reads, 0);
});

test("ports come sorted, each once", async () => {
  const { ports } = await collectPorts([[443, 80], [], [80, 22], [443]]);
  assert.deepEqual(ports, [22, 80, 443]);
});

test("others get their turn however many pieces there are", async () => {
  let turns = 0;
  const count = (): void => {
    turns++;
    waiting = setImmediate(count);
  };
  let waiting = setImmediate(count);
  function* pieces(): Generator<number[]> {
    for (let piece = 0; piece < 100; piece++) {
      for (const end = performance.now() + 1; performance.now() < end; );
      yield [piece];
    }
  }
  const { ports, work } = await collectPorts(pieces());
  clearImmediate(waiting);
  assert.equal(ports.length, 100);
  // A turn is two milliseconds, and each piece took one.
  assert.ok(turns >= 30, `${turns} turns`);
  assert.ok(work >= 100, `${work} ms`);
});

test("others get their turn between many who have few", async () => {
  let turns = 0;
  const count = (): void => {
    turns++;
    waiting = setImmediate(count);
  };
  let waiting = setImmediate(count);
  for (let container = 0; container < 20; container++) await collectPorts([[80]]);
  clearImmediate(waiting);
  assert.ok(turns >= 19, `${turns} turns`);
});

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FakePorts } from "../../../../test/support/fake-ports.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import type { Notice } from "../../notices/notice.ts";
import { PortScanner } from "./port-scanner.ts";

function setUp(t: TestContext) {
  const clock = new ManualClock();
  const told: Record<string, number[]>[] = [];
  const tell = ({ message }: Notice): void => {
    const lists = (message as Notice<"updateListeningPorts">["message"]).containerPorts;
    const each = Object.entries(lists).map(([name, list]) => [name, [...list.listeningTcp4Ports]]);
    told.push(Object.fromEntries(each));
  };
  const rounds = new PortScanner({ tell, clock, log: silentLogger });
  t.after(() => rounds[Symbol.asyncDispose]());
  /** Lets one round pass and answers what it told. */
  const round = async (): Promise<Record<string, number[]> | undefined> => {
    await clock.sleeping();
    const before = told.length;
    clock.advance(300);
    // A round ends by sleeping again, or with nobody left to look at.
    await Promise.race([clock.sleeping(), idle()]);
    return told[before];
  };
  return { clock, rounds, round, told };
}

/** More turns of the loop than a round of a few fake containers takes. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

test("open and closed ports are told, and nothing when nothing changed", async (t) => {
  const { rounds, round } = setUp(t);
  const web = new FakePorts(80);
  rounds.enter("web", web);
  rounds.enter("db", new FakePorts());
  assert.deepEqual(await round(), { web: [80], db: [] });
  assert.equal(await round(), undefined);
  web.listen(443, 80);
  assert.deepEqual(await round(), { web: [80, 443], db: [] });
  web.run();
  assert.equal(await round(), undefined);
  web.listen();
  assert.deepEqual(await round(), { web: [], db: [] });
});

test("changes that follow each other are known as that", async (t) => {
  const { rounds, round } = setUp(t);
  const web = new FakePorts();
  rounds.enter("web", web);
  for (const port of [80, 81, 82, 83]) {
    assert.equal(rounds.areChanging, false);
    web.listen(port);
    assert.deepEqual(await round(), { web: [port] });
  }
  assert.equal(rounds.areChanging, true);
  // Where as many are opened as closed, not every round finds out.
  for (let quiet = 1; quiet <= 12; quiet++) {
    assert.equal(await round(), undefined);
    assert.equal(rounds.areChanging, true);
  }
  assert.equal(await round(), undefined);
  assert.equal(rounds.areChanging, false);
});

test("a container that ends is empty, and gone when it is said to have stopped", async (t) => {
  const { rounds, round } = setUp(t);
  const web = new FakePorts(80);
  rounds.enter("web", web);
  rounds.enter("db", new FakePorts(22));
  await round();
  web.run();
  web.end();
  assert.equal(rounds.has("web"), false);
  assert.deepEqual(await round(), { web: [], db: [22] });
  rounds.leave("web");
  assert.equal(web.disposed, true);
  assert.equal(await round(), undefined);
  rounds.repeat();
  assert.deepEqual(await round(), { db: [22] });
});

test("a container that stops between two rounds gets one empty list", async (t) => {
  const { rounds, round } = setUp(t);
  const web = new FakePorts(80);
  rounds.enter("web", web);
  await round();
  web.end();
  rounds.leave("web");
  rounds.leave("web");
  assert.deepEqual(await round(), { web: [] });
  assert.deepEqual(rounds.names, []);
});

test("a word of a stop that comes after the next start changes nothing", async (t) => {
  const { rounds, round } = setUp(t);
  const first = new FakePorts(80);
  rounds.enter("web", first);
  await round();
  first.end();
  rounds.enter("web", new FakePorts(80));
  assert.equal(first.disposed, true);
  rounds.leave("web");
  assert.equal(rounds.has("web"), true);
  assert.equal(await round(), undefined);
});

test("a container that was found twice, or has ended since, does not enter", async (t) => {
  const { rounds, round } = setUp(t);
  const [first, second, ended] = [new FakePorts(80), new FakePorts(80), new FakePorts(80)];
  rounds.enter("web", first);
  rounds.enter("web", second);
  assert.deepEqual([first.disposed, second.disposed], [false, true]);
  ended.end();
  rounds.enter("db", ended);
  assert.equal(ended.disposed, true);
  assert.deepEqual(await round(), { web: [80] });
});

test("everything is read and told again on demand", async (t) => {
  const { rounds, round } = setUp(t);
  const web = new FakePorts(80);
  rounds.enter("web", web);
  await round();
  assert.equal(web.reads, 1);
  rounds.repeat();
  assert.deepEqual(await round(), { web: [80] });
  assert.equal(web.reads, 2);
});

test("what is about to enter is waited for, though not for ever", async (t) => {
  const { rounds, round } = setUp(t);
  rounds.enter("web", new FakePorts(80));
  const expected = rounds.expect();
  assert.equal(await round(), undefined);
  rounds.enter("db", new FakePorts());
  expected[Symbol.dispose]();
  assert.deepEqual(await round(), { web: [80], db: [] });
  rounds.expect();
  rounds.repeat();
  for (let leftOut = 0; leftOut < 10; leftOut++) assert.equal(await round(), undefined);
  assert.deepEqual(await round(), { web: [80], db: [] });
});

test("nobody is woken while there is no container", async (t) => {
  const { clock, rounds, round, told } = setUp(t);
  const web = new FakePorts(80);
  rounds.enter("web", web);
  await round();
  web.end();
  rounds.leave("web");
  assert.deepEqual(await round(), { web: [] });
  let woken = false;
  void clock.sleeping().then(() => {
    woken = true;
  });
  await idle();
  assert.equal(woken, false);
  rounds.enter("web", new FakePorts(81));
  assert.deepEqual(await round(), { web: [81] });
  assert.equal(told.length, 3);
});

test("what is looked at is let go at the end", async (t) => {
  const { rounds, round } = setUp(t);
  const [web, late] = [new FakePorts(80), new FakePorts(80)];
  rounds.enter("web", web);
  await round();
  await rounds[Symbol.asyncDispose]();
  rounds.enter("late", late);
  assert.deepEqual([web.disposed, late.disposed], [true, true]);
});

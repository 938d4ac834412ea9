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
  const reported: Record<string, number[]>[] = [];
  const report = ({ message }: Notice): void => {
    const lists = (message as Notice<"updateListeningPorts">["message"]).containerPorts;
    const each = Object.entries(lists).map(([name, list]) => [name, [...list.listeningTcp4Ports]]);
    reported.push(Object.fromEntries(each));
  };
  const scanner = new PortScanner({ report, clock, log: silentLogger });
  t.after(() => scanner[Symbol.asyncDispose]());
  /** Lets one scan pass and returns what it reported. */
  const scan = async (): Promise<Record<string, number[]> | undefined> => {
    await clock.sleeping();
    const before = reported.length;
    clock.advance(300);
    // A scan ends by sleeping again, or when no container is left.
    await Promise.race([clock.sleeping(), idle()]);
    return reported[before];
  };
  return { clock, scanner, scan, reported };
}

/** More turns of the loop than a scan of a few fake containers takes. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

test("opened and closed ports are reported, and nothing when nothing changed", async (t) => {
  const { scanner, scan } = setUp(t);
  const web = new FakePorts(80);
  scanner.add("web", web);
  scanner.add("db", new FakePorts());
  assert.deepEqual(await scan(), { web: [80], db: [] });
  assert.equal(await scan(), undefined);
  web.listen(443, 80);
  assert.deepEqual(await scan(), { web: [80, 443], db: [] });
  web.run();
  assert.equal(await scan(), undefined);
  web.listen();
  assert.deepEqual(await scan(), { web: [], db: [] });
});

test("changes that follow each other are known as that", async (t) => {
  const { scanner, scan } = setUp(t);
  const web = new FakePorts();
  scanner.add("web", web);
  for (const port of [80, 81, 82, 83]) {
    assert.equal(scanner.areChanging, false);
    web.listen(port);
    assert.deepEqual(await scan(), { web: [port] });
  }
  assert.equal(scanner.areChanging, true);
  // Where as many are opened as closed, not every scan finds out.
  for (let quiet = 1; quiet <= 12; quiet++) {
    assert.equal(await scan(), undefined);
    assert.equal(scanner.areChanging, true);
  }
  assert.equal(await scan(), undefined);
  assert.equal(scanner.areChanging, false);
});

test("a container that ends is empty, and gone when it is said to have stopped", async (t) => {
  const { scanner, scan } = setUp(t);
  const web = new FakePorts(80);
  scanner.add("web", web);
  scanner.add("db", new FakePorts(22));
  await scan();
  web.run();
  web.end();
  assert.equal(scanner.has("web"), false);
  assert.deepEqual(await scan(), { web: [], db: [22] });
  scanner.remove("web");
  assert.equal(web.disposed, true);
  assert.equal(await scan(), undefined);
  scanner.reportAll();
  assert.deepEqual(await scan(), { db: [22] });
});

test("a container that stops between two scanner gets one empty list", async (t) => {
  const { scanner, scan } = setUp(t);
  const web = new FakePorts(80);
  scanner.add("web", web);
  await scan();
  web.end();
  scanner.remove("web");
  scanner.remove("web");
  assert.deepEqual(await scan(), { web: [] });
  assert.deepEqual(scanner.names, []);
});

test("a late report of a stop after the next start changes nothing", async (t) => {
  const { scanner, scan } = setUp(t);
  const first = new FakePorts(80);
  scanner.add("web", first);
  await scan();
  first.end();
  scanner.add("web", new FakePorts(80));
  assert.equal(first.disposed, true);
  scanner.remove("web");
  assert.equal(scanner.has("web"), true);
  assert.equal(await scan(), undefined);
});

test("a container that was found twice, or has ended since, does not enter", async (t) => {
  const { scanner, scan } = setUp(t);
  const [first, second, ended] = [new FakePorts(80), new FakePorts(80), new FakePorts(80)];
  scanner.add("web", first);
  scanner.add("web", second);
  assert.deepEqual([first.disposed, second.disposed], [false, true]);
  ended.end();
  scanner.add("db", ended);
  assert.equal(ended.disposed, true);
  assert.deepEqual(await scan(), { web: [80] });
});

test("everything is read and reported again on demand", async (t) => {
  const { scanner, scan } = setUp(t);
  const web = new FakePorts(80);
  scanner.add("web", web);
  await scan();
  assert.equal(web.reads, 1);
  scanner.reportAll();
  assert.deepEqual(await scan(), { web: [80] });
  assert.equal(web.reads, 2);
});

test("what is about to enter is waited for, though not for ever", async (t) => {
  const { scanner, scan } = setUp(t);
  scanner.add("web", new FakePorts(80));
  const expected = scanner.expect();
  assert.equal(await scan(), undefined);
  scanner.add("db", new FakePorts());
  expected[Symbol.dispose]();
  assert.deepEqual(await scan(), { web: [80], db: [] });
  scanner.expect();
  scanner.reportAll();
  for (let leftOut = 0; leftOut < 10; leftOut++) assert.equal(await scan(), undefined);
  assert.deepEqual(await scan(), { web: [80], db: [] });
});

test("nobody is woken while there is no container", async (t) => {
  const { clock, scanner, scan, reported } = setUp(t);
  const web = new FakePorts(80);
  scanner.add("web", web);
  await scan();
  web.end();
  scanner.remove("web");
  assert.deepEqual(await scan(), { web: [] });
  let woken = false;
  void clock.sleeping().then(() => {
    woken = true;
  });
  await idle();
  assert.equal(woken, false);
  scanner.add("web", new FakePorts(81));
  assert.deepEqual(await scan(), { web: [81] });
  assert.equal(reported.length, 3);
});

test("what is looked at is let go at the end", async (t) => {
  const { scanner, scan } = setUp(t);
  const [web, late] = [new FakePorts(80), new FakePorts(80)];
  scanner.add("web", web);
  await scan();
  await scanner[Symbol.asyncDispose]();
  scanner.add("late", late);
  assert.deepEqual([web.disposed, late.disposed], [true, true]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

/** Reports the ports of containers, as a guest does. */
async function report(at: CommandLineFixture, lists: Record<string, number[]>): Promise<void> {
  const each = Object.entries(lists).map(([name, ports]) => [name, { listeningTcp4Ports: ports }]);
  await at.guest.notify("updateListeningPorts", { containerPorts: Object.fromEntries(each) });
}

test("ports shows the ports that were last reported for each container", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.match((await at.output("ports")).stderr, /no container listens/);
  await report(at, { web: [80, 443], database: [5432] });
  await report(at, { web: [8080], database: [5432] });
  assert.equal((await at.output("ports")).stdout, "CONTAINER  PORTS\ndatabase   5432\nweb        8080\n");
  await report(at, { web: [] });
  assert.equal((await at.output("ports")).stdout, "CONTAINER  PORTS\ndatabase   5432\nweb        -\n");
  assert.deepEqual(JSON.parse((await at.output("ports --json")).stdout), {
    containers: [
      { guest: "vm", container: "database", ports: [5432] },
      { guest: "vm", container: "web", ports: [] },
    ],
  });
});

test("a stopped container is not listed, whichever notice of it came last", async (t) => {
  const at = await CommandLineFixture.open(t);
  await report(at, { early: [80], late: [80], gone: [80], web: [80] });
  await report(at, { early: [] });
  await at.guest.notify("containerShutdown", { containerName: "early" });
  await at.guest.notify("containerShutdown", { containerName: "late" });
  await report(at, { late: [] });
  await at.guest.notify("updateDeletionStatus", { containerName: "gone", status: 1 });
  assert.equal((await at.output("ports")).stdout, "CONTAINER  PORTS\nweb        80\n");
});

test("ports --watch prints each change once", async (t) => {
  const at = await CommandLineFixture.open(t);
  await report(at, { web: [80], database: [5432] });
  const io = new RecordedIo();
  const watching = at.run("ports --watch", io);
  await io.written(/^web +80$/m);
  await report(at, { web: [80], database: [5432] });
  await report(at, { web: [80, 443], database: [5432] });
  await io.written(/^web: 80 443$/m);
  await at.guest.notify("containerShutdown", { containerName: "web" });
  await io.written(/^web: none$/m);
  io.ctrlC();
  assert.equal(await watching, 130);
  assert.equal(io.stdout, "CONTAINER  PORTS\ndatabase   5432\nweb        80\nweb: 80 443\nweb: none\n");
});

test("ports --watch --json prints one line for each change", async (t) => {
  const at = await CommandLineFixture.open(t);
  const io = new RecordedIo();
  const watching = at.run("ports --watch --json", io);
  await io.written(/^\{"containers":\[\]\}$/m);
  await report(at, { web: [80] });
  await io.written(/^\{"guest":"vm","container":"web","ports":\[80\]\}$/m);
  io.ctrlC();
  assert.equal(await watching, 130);
});

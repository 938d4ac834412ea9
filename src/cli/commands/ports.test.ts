import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace, RecordedIo } from "../../../test/support/command-line.ts";

/** Tells the lists of containers, as a guest does. */
async function tell(at: CommandLinePlace, lists: Record<string, number[]>): Promise<void> {
  const each = Object.entries(lists).map(([name, ports]) => [name, { listeningTcp4Ports: ports }]);
  await at.guest.tell("updateListeningPorts", { containerPorts: Object.fromEntries(each) });
}

test("ports shows what each container was last told to listen on", async (t) => {
  const at = await CommandLinePlace.open(t);
  assert.match((await at.say("ports")).stderr, /nothing listens/);
  await tell(at, { web: [80, 443], database: [5432] });
  await tell(at, { web: [8080], database: [5432] });
  assert.equal((await at.say("ports")).stdout, "CONTAINER  PORTS\ndatabase   5432\nweb        8080\n");
  await tell(at, { web: [] });
  assert.equal((await at.say("ports")).stdout, "CONTAINER  PORTS\ndatabase   5432\nweb        -\n");
  assert.deepEqual(JSON.parse((await at.say("ports --json")).stdout), {
    containers: [
      { guest: "vm", container: "database", ports: [5432] },
      { guest: "vm", container: "web", ports: [] },
    ],
  });
});

test("a container that stopped is not among them, whichever notice of it came last", async (t) => {
  const at = await CommandLinePlace.open(t);
  await tell(at, { early: [80], late: [80], gone: [80], web: [80] });
  await tell(at, { early: [] });
  await at.guest.tell("containerShutdown", { containerName: "early" });
  await at.guest.tell("containerShutdown", { containerName: "late" });
  await tell(at, { late: [] });
  await at.guest.tell("updateDeletionStatus", { containerName: "gone", status: 1 });
  assert.equal((await at.say("ports")).stdout, "CONTAINER  PORTS\nweb        80\n");
});

test("ports --watch tells each change once", async (t) => {
  const at = await CommandLinePlace.open(t);
  await tell(at, { web: [80], database: [5432] });
  const io = new RecordedIo();
  const watching = at.run("ports --watch", io);
  await io.written(/^web +80$/m);
  await tell(at, { web: [80], database: [5432] });
  await tell(at, { web: [80, 443], database: [5432] });
  await io.written(/^web: 80 443$/m);
  await at.guest.tell("containerShutdown", { containerName: "web" });
  await io.written(/^web: none$/m);
  io.ctrlC();
  assert.equal(await watching, 130);
  assert.equal(io.stdout, "CONTAINER  PORTS\ndatabase   5432\nweb        80\nweb: 80 443\nweb: none\n");
});

test("ports --watch --json gives one line for each change", async (t) => {
  const at = await CommandLinePlace.open(t);
  const io = new RecordedIo();
  const watching = at.run("ports --watch --json", io);
  await io.written(/^\{"containers":\[\]\}$/m);
  await tell(at, { web: [80] });
  await io.written(/^\{"guest":"vm","container":"web","ports":\[80\]\}$/m);
  io.ctrlC();
  assert.equal(await watching, 130);
});

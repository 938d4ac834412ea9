import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

test("watch prints the log with --all, then new events", async (t) => {
  const at = await CommandLineFixture.open(t);
  await at.guest.notify("containerShutdown", { containerName: "web" });
  const io = new RecordedIo();
  const watching = at.run("watch --all", io);
  await io.written(/^1 {2}\S+ {2}vm {2}web: has shut down$/m);
  await at.guest.notify("updateListeningPorts", {
    containerPorts: { web: { listeningTcp4Ports: [80, 443] } },
  });
  await io.written(/^2 {2}\S+ {2}vm {2}listening ports of web: 80 443$/m);
  io.ctrlC();
  assert.equal(await watching, 130);
  assert.match(io.stderr, /continue with tremplin watch --after 2/);
  const after = new RecordedIo();
  const again = at.run("watch --after 1 --json", after);
  await after.written(/"sequence":"2"/);
  after.ctrlC();
  assert.equal(await again, 130);
  assert.doesNotMatch(after.stdout, /"sequence":"1"/);
  assert.equal(await at.run("watch --after x"), 2);
  for (const line of ["watch --once", "watch --all --once", "watch --since 1h --once"]) {
    const { code, stdout } = await at.output(line);
    assert.equal(code, 0);
    assert.deepEqual(
      stdout.split("\n").map((each) => each.split(" ")[0]),
      ["1", "2", ""],
    );
  }
  assert.match((await at.output("watch --once --after 1")).stdout, /^2 /);
});

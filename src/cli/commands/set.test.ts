import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("set prints what is so now and what the guest adds; get prints one or all", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const done = await at.output("set web cpu=2 autostart=on");
  assert.deepEqual([done.code, done.stdout], [0, "web: cpu is 2, autostart is on\n"]);
  assert.match(done.stderr, /it is so from now on/);
  assert.equal((await at.output("get web cpu")).stdout, "2\n");
  assert.equal((await at.output("get web")).stdout, "autostart  on\ncpu        2\nmemory     1GiB\n");
  assert.deepEqual(JSON.parse((await at.output("get web memory --json")).stdout), {
    container: "web",
    settings: { memory: "1GiB" },
  });
});

test("wrong words and missing containers have their exit codes", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  for (const line of ["set web", "set web cpu", "set web =2", "set web cpu=", "set web cpu=1 cpu=2"]) {
    assert.equal((await at.output(line)).code, 2, line);
  }
  const unknown = await at.output("get web colour");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there are autostart, cpu, memory/);
  assert.equal((await at.output("set nope cpu=2")).code, 3);
  assert.equal((await at.output("get nope")).code, 3);
});

test("logs prints the newest lines, without what changes a terminal", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.output("logs web --lines 5")).stdout, "5 lines\n[2Jred\n");
  const { lines } = JSON.parse((await at.output("logs web --boot --json")).stdout);
  assert.equal(lines[0], "200 lines of the start");
  assert.equal((await at.output("logs nope")).code, 3);
});

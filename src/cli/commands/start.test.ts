import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("start waits for the final notice", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.output("start web")).stdout, "web: started\n");
  assert.deepEqual(at.guest.asked, ["start web"]);
});

test("start leaves a running container as it is, and says when a privilege level applies", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.output("start web")).stdout, "web: already running\n");
  assert.equal(
    (await at.output("start web --privileged")).stdout,
    "web: already running; it will be privileged after it is stopped and started again\n",
  );
  assert.deepEqual(at.guest.asked, []);
});

test("a container cannot be privileged and unprivileged", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.equal(await at.run("start web --privileged --unprivileged"), 2);
  assert.deepEqual(at.guest.asked, []);
});

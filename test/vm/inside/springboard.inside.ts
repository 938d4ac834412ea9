import assert from "node:assert/strict";
import { test } from "node:test";
import { startDaemon } from "../../support/daemon.ts";
import { inContainer } from "../../support/in-container.ts";
import { createTiny, launch, shareTinyImage, startContainer } from "../../support/tiny-container.ts";

test("a container is created and started in the guest", async (context) => {
  const began = performance.now();
  const tell = (what: string) =>
    context.diagnostic(`${what} after ${Math.round(performance.now() - began)} ms`);
  await using daemon = await startDaemon();
  tell("ready");
  await launch(daemon);
  tell("launched");
  await shareTinyImage(daemon);
  await createTiny(daemon, "first");
  tell("created");
  await startContainer(daemon, "first");
  tell("started");
  assert.match(await inContainer(daemon, "first", "cat", "/etc/os-release"), /Tiny/);
});

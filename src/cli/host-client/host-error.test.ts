import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace } from "../../../test/support/command-line.ts";

test("an unreachable guest or host is exit code 4, and the message says what to do", async (t) => {
  const at = await CommandLinePlace.open(t);
  await at.guest.close();
  const guest = await at.say("list");
  assert.equal(guest.code, 4);
  assert.match(
    guest.stderr,
    /cannot reach guest vm at unix:\S+: nothing listens there; tremplin doctor has advice$/m,
  );
  await at.closeHost();
  for (const line of ["list", "status", "start web", "watch"]) {
    const { code, stderr } = await at.say(line);
    assert.equal(code, 4);
    assert.match(stderr, /nothing listens at unix:.*tremplin up/);
  }
});

test("a guest with the original contract alone is recognised", async (t) => {
  const at = await CommandLinePlace.open(t, true);
  const { code, stderr } = await at.say("list");
  assert.equal(code, 1);
  assert.match(stderr, /supports only the original contract/);
  const status = await at.say("status");
  assert.equal(status.code, 0);
  assert.match(status.stdout, /supports only the original contract/);
  assert.equal((await at.say("create web --image-server https://x --alias y")).stdout, "web: created\n");
});

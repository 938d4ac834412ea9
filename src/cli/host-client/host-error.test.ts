import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("an unreachable guest or host is exit code 4, and the message says what to do", async (t) => {
  const at = await CommandLineFixture.open(t);
  await at.guest.close();
  const guest = await at.output("list");
  assert.equal(guest.code, 4);
  assert.match(
    guest.stderr,
    /cannot reach guest vm at unix:\S+: nothing listens there; tremplin doctor has advice$/m,
  );
  await at.closeHost();
  for (const line of ["list", "status", "start web", "watch"]) {
    const { code, stderr } = await at.output(line);
    assert.equal(code, 4);
    assert.match(stderr, /nothing listens at unix:.*tremplin up/);
  }
});

test("a guest with the original contract alone is recognised", async (t) => {
  const at = await CommandLineFixture.open(t, true);
  const { code, stderr } = await at.output("list");
  assert.equal(code, 1);
  assert.match(stderr, /supports only the original contract/);
  const status = await at.output("status");
  assert.equal(status.code, 0);
  assert.match(status.stdout, /supports only the original contract/);
  assert.equal((await at.output("create web --image-server https://x --alias y")).stdout, "web: created\n");
});

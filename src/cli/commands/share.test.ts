import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { callerIds } from "../host-client/caller-ids.ts";

test("share, shares and unshare say what is where, and have their exit codes", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.match((await at.output("shares")).stderr, /no container has a share; tremplin share NAME FOLDER/);
  const made = await at.output("share web /srv/src --read-only");
  assert.deepEqual([made.code, made.stdout], [0, "web: /srv/src is at /mnt/src, to be read only\n"]);
  assert.match(made.stderr, /it is of uid/);
  assert.match((await at.output("shares web")).stdout, /^web {8}\/mnt\/src {2}\/srv\/src {2}read-only$/m);
  const listed = JSON.parse((await at.output("shares --json")).stdout);
  assert.deepEqual([listed.shares[0].container, listed.shares[0].readOnly], ["web", true]);
  assert.match((await at.output("unshare web /mnt/src")).stdout, /its files stay/);
  assert.equal((await at.output("unshare web /mnt/src")).code, 3);
  assert.equal((await at.output("share nope /srv/src")).code, 3);
  assert.equal((await at.output("share web")).code, 2);
});

test("the person is found under sudo too, and nobody is assumed over a network", () => {
  const as = (uid: number, env: Record<string, string> = {}, host = "unix:/run/host.sock") =>
    callerIds({ host }, { env, getuid: () => uid, getgid: () => uid }).caller;
  assert.deepEqual(as(1001), { uid: 1001, gid: 1001 });
  assert.deepEqual(as(0, { SUDO_UID: "1001", SUDO_GID: "1002" }), { uid: 1001, gid: 1002 });
  for (const SUDO_UID of ["0", "", "-1", "4294967295", "x"])
    assert.equal(as(0, { SUDO_UID, SUDO_GID: "1" }), undefined);
  assert.equal(as(1001, {}, "tcp:127.0.0.1:7000"), undefined);
});

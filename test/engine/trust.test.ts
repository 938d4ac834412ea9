import assert from "node:assert/strict";
import { chmod, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../src/cli/program.ts";
import { RecordedIo } from "../support/command-line.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";

let kept: KeptFolder;
let folder: string;

before(async () => {
  kept = await keptFolder();
  folder = join(kept.path, "trust");
});
after(() => kept[Symbol.asyncDispose]());

/** Runs `tremplin trust` in the folder. */
async function trust(line: string, place = folder): Promise<{ code: number; out: string; err: string }> {
  const io = new RecordedIo();
  const code = await run(["trust", ...line.split(" "), "--folder", place], io);
  return { code, out: io.stdout, err: io.stderr };
}

/** The certificates in the list, each with its state. */
async function states(): Promise<string[]> {
  const { certificates } = JSON.parse((await trust("list --json")).out);
  return certificates.map(({ kind, name = "", state }: Record<string, string>) => `${kind} ${name} ${state}`);
}

test("certificates are made, listed and revoked by name, and their keys are their owner's alone", async () => {
  assert.match((await trust("list")).err, /there is no certificate; tremplin trust guest NAME makes one/);
  const made = await trust("guest vm");
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^guest vm: certificate [0-9A-F]+, valid until \d{4}-\d\d-\d\d$/m);
  assert.match(made.out, /--tls-cert \S+\/guest-vm\.crt --tls-key \S+\/guest-vm\.key --tls-ca \S+\/ca\.crt/);
  assert.match(made.out, /^options of the host: --tls-cert \S+\/host\.crt /m);
  assert.equal((await trust("client anna --address anna.example --address 10.0.0.1")).code, 0);
  assert.deepEqual(await states(), ["client anna valid", "guest vm valid", "host  valid"]);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const name of (await readdir(folder)).filter((each) => each.endsWith(".key"))) {
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  }
  assert.ok((await readdir(folder)).every((name) => !name.endsWith(".new")));

  const again = await trust("guest vm");
  assert.deepEqual([again.code, again.out], [1, ""]);
  assert.match(again.err, /guest vm has a certificate already, .*: use that one, revoke it, or .* --renew/);
  assert.match((await trust("revoke guest vm")).out, /^guest vm: certificate [0-9A-F]+ is revoked$/m);
  assert.deepEqual(await states(), ["client anna valid", "guest vm revoked", "host  valid"]);
  assert.equal((await trust("guest vm")).code, 0);
  assert.deepEqual(await states(), [
    "client anna valid",
    "guest vm valid",
    "guest vm revoked",
    "host  valid",
  ]);
});

test("what makes no sense is refused with what to do, and changes nothing", async () => {
  const before = await readdir(folder);
  for (const [line, code, message] of [
    ["guest ../x", 2, /"\.\.\/x" is not a name/],
    ["client a,URI:tremplin:host", 2, /is not a name/],
    ["client bert --address a,URI:tremplin:host", 2, /is neither a host name nor an IP address/],
    ["revoke guest nobody", 3, /guest nobody has no certificate/],
    ["revoke host x", 2, /the host has no name: use tremplin trust revoke host/],
    ["revoke daemon x", 2, /"daemon" is not guest, client, host or serial/],
    ["revoke guest", 2, /"" is not a name/],
    ["revoke serial xyz", 2, /does not begin with a serial number/],
  ] as const) {
    const { code: found, err } = await trust(line);
    assert.equal(found, code, line);
    assert.match(err, message);
  }
  assert.deepEqual(await readdir(folder), before);
});

test("an authority is not kept where another user could change it", async () => {
  const open = join(kept.path, "open");
  assert.equal((await trust("guest vm", open)).code, 0);
  await chmod(open, 0o777);
  assert.match((await trust("guest other", open)).err, /other users can write to/);
  await chmod(open, 0o700);
  assert.equal((await trust("guest other", open)).code, 0);
});

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createSecureContext } from "node:tls";
import { systemClock } from "../base/async/clock.ts";
import { RevokedSerials } from "../transport/revoked-serials.ts";
import type { Role } from "../transport/role.ts";
import { Authority, type NewestCertificate } from "./authority.ts";

const vm: Role = { kind: "guest", name: "vm" };

async function newAuthority(t: TestContext): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "authority-"));
  t.after(() => rm(folder, { recursive: true }));
  return new Authority(join(folder, "trust"), systemClock);
}

async function states(authority: Authority, serials: readonly string[]): Promise<(string | undefined)[]> {
  const list = await authority.list();
  return serials.map((serial) => list.find((each) => each.serial === serial)?.state);
}

/** Throws where the two do not belong together. */
async function checkPair({ cert, key }: NewestCertificate): Promise<string> {
  const pem = await readFile(cert, "utf8");
  createSecureContext({ cert: pem, key: await readFile(key, "utf8") });
  return new X509Certificate(pem).serialNumber;
}

for (const role of [vm, { kind: "host" }] as const) {
  test(`all certificates of ${role.kind} that were made are listed, and revoked together`, async (t) => {
    const authority = await newAuthority(t);
    const serials: string[] = [];
    for (const _ of [1, 2, 3]) serials.unshift((await authority.issue(role, { renew: true })).serial);
    const other = await authority.issue({ kind: "client", name: "vm" }, {});
    assert.deepEqual(await states(authority, serials), ["valid", "valid", "valid"]);
    const revoked = await authority.revoke(role);
    assert.deepEqual(
      revoked.map(({ serial }) => serial),
      serials,
    );
    assert.deepEqual(await states(authority, [...serials, other.serial]), [
      ...["revoked", "revoked", "revoked"],
      "valid",
    ]);
    const list = new RevokedSerials(join(authority.folder, "revoked"));
    for (const serial of serials) assert.match(list.reasonToRefuse(serial) ?? "", /was revoked/);
  });
}

test("a certificate of a version that kept no list is revoked with its successor", async (t) => {
  const authority = await newAuthority(t);
  const { serial } = await authority.issue(vm, {});
  await rm(join(authority.folder, "issued"));
  assert.deepEqual(await states(authority, [serial]), ["valid"]);
  await authority.issue(vm, { renew: true });
  await authority.revoke(vm);
  assert.deepEqual(await states(authority, [serial]), ["revoked"]);
});

test("nothing counts as revoked by name while the list cannot be read", async (t) => {
  const authority = await newAuthority(t);
  await authority.issue(vm, {});
  await writeFile(join(authority.folder, "issued"), "?\n");
  await assert.rejects(authority.revoke(vm), /line 1 of .*issued is not the serial number/);
});

test("a renewal that was killed between key and certificate is finished", async (t) => {
  const authority = await newAuthority(t);
  const first = await authority.issue(vm, {});
  const old = `${first.cert}.old`;
  await copyFile(first.cert, old);
  const second = await authority.issue(vm, { renew: true });
  await rename(second.cert, `${second.cert}.new`);
  await rename(old, second.cert);
  await assert.rejects(checkPair(second), /mismatch/);
  await assert.rejects(authority.issue(vm, {}), /has a certificate already/);
  assert.equal(await checkPair(second), second.serial);
});

test("a certificate whose key is of another one is made again, without being asked for a renewal", async (t) => {
  const authority = await newAuthority(t);
  const first = await authority.issue(vm, {});
  const { key } = await authority.issue({ kind: "client", name: "anna" }, {});
  await copyFile(key, first.key);
  await writeFile(`${first.cert}.new`, "half a certifi");
  const second = await authority.issue(vm, {});
  assert.notEqual(await checkPair(second), first.serial);
  await rm(second.key);
  await assert.rejects(authority.issue(vm, {}), /has a certificate already/);
});

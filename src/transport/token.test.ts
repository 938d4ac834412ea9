import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { temporaryFolder } from "../../test/support/hostile-peer.ts";
import { AcceptedTokens, readToken } from "./token.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

test("a token is read from a file that only its owner can access", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "token");
  await writeFile(path, `${TOKEN}\n`, { mode: 0o600 });
  assert.equal(readToken(path), TOKEN);
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o666]) {
    await chmod(path, mode);
    assert.throws(() => readToken(path), /other users may read or change the file; run chmod 600/);
  }
});

test("what is no token is refused with how to make one", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "token");
  const bad = [
    "",
    "short",
    "a b".repeat(20),
    `${TOKEN}\n${TOKEN}`,
    "\u00e9".repeat(40),
    "x".repeat(513),
    "x".repeat(9_000),
  ];
  for (const text of bad) {
    await writeFile(path, text, { mode: 0o600 });
    assert.throws(() => readToken(path), /openssl rand -hex 32/, text);
  }
  await symlink(path, join(folder.path, "link"));
  assert.throws(() => readToken(join(folder.path, "link")), /it is a symbolic link/);
  await mkdir(join(folder.path, "folder"));
  assert.throws(() => readToken(join(folder.path, "folder")), /is not a file with a token/);
  assert.throws(() => readToken(join(folder.path, "none")), /there is no such file/);
});

test("only the exact token is accepted, and it names the guest that shares it", () => {
  const first = { token: TOKEN, guest: "vm" };
  const accepted = new AcceptedTokens([first, { token: TOKEN.toUpperCase() }]);
  assert.equal(accepted.find(`Bearer ${TOKEN}`)?.guest, "vm");
  assert.equal(accepted.find(`bearer  ${TOKEN.toUpperCase()}`)?.guest, undefined);
  assert.equal(accepted.find(undefined), undefined);
  const other = fc.oneof(fc.string(), fc.constantFrom(TOKEN.slice(1), `${TOKEN}0`, "")).map((text) => {
    return text === TOKEN ? "x" : text;
  });
  fc.assert(
    fc.property(other, fc.constantFrom("Bearer ", "Basic ", ""), (text, scheme) => {
      assert.equal(new AcceptedTokens([first]).find(`${scheme}${text}`), undefined);
    }),
  );
  assert.equal(new AcceptedTokens().find("Bearer "), undefined);
  assert.equal(accepted.find(`Basic ${TOKEN}`), undefined);
  accepted.delete(first);
  assert.equal(accepted.find(`Bearer ${TOKEN}`), undefined);
});

import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Finding } from "./finding.ts";
import { systemChecks } from "./system-checks.ts";

/** The findings by name on a computer with these files, whose state folder other users can pass through. */
async function findings(
  t: TestContext,
  files: Record<string, string>,
): Promise<Record<string, Finding["state"]>> {
  const root = await mkdtemp(join(tmpdir(), "doctor-"));
  t.after(() => rm(root, { recursive: true }));
  await chmod(root, 0o755);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  const found = await systemChecks(join(root, "not", "there", "yet"), root);
  return Object.fromEntries(found.map(({ name, state }) => [name, state]));
}

test("a computer that has everything passes", async (t) => {
  const found = await findings(t, {
    "proc/filesystems": "nodev\tproc\n\tbtrfs\n",
    "proc/sys/user/max_user_namespaces": "1000\n",
    "etc/subuid": "someone:1:5\nroot:100000:10000001\n",
    "etc/subgid": "0:100000:65536\n",
  });
  assert.equal(found["btrfs kernel"], "good");
  assert.equal(found["user namespaces"], "good");
  assert.equal(found.subuid, "good");
  assert.equal(found.subgid, "good");
  assert.equal(found["state folder"], "good");
});

test("missing requirements are reported", async (t) => {
  const found = await findings(t, {
    "proc/filesystems": "nodev\tproc\n",
    "proc/sys/user/max_user_namespaces": "0\n",
    "etc/subuid": "root:100000:1000\nsomeone:100000:65536\n",
  });
  assert.equal(found["btrfs kernel"], "note");
  assert.equal(found["user namespaces"], "bad");
  assert.equal(found.subuid, "bad");
  assert.equal(found.subgid, "bad");
});

test("the advised range of ids contains none that the site crostini maps itself", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "doctor-"));
  t.after(() => rm(root, { recursive: true }));
  const found = (await systemChecks(root, root)).find(({ name }) => name === "subuid");
  const [, first, count] = /root:(\d+):(\d+) /.exec(found?.advice ?? "") ?? [];
  assert.ok(Number(first) > 665_357 && Number(count) >= 65_536, found?.advice);
});

test("a state folder that containers cannot pass through is reported", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "doctor-"));
  t.after(() => rm(folder, { recursive: true }));
  const found = (await systemChecks(join(folder, "state"))).find(({ name }) => name === "state folder");
  assert.deepEqual([found?.state, found?.advice], ["bad", `chmod o+x ${folder}`]);
});

test("an old database that a reset kept is reported", async () => {
  const state = await mkdtemp(join(tmpdir(), "state-"));
  try {
    const old = async () => (await systemChecks(state)).find(({ name }) => name === "old database");
    assert.equal(await old(), undefined);
    await mkdir(join(state, "lxd/database.old"), { recursive: true });
    assert.match((await old())?.found ?? "", /lxd\/database\.old/);
  } finally {
    await rm(state, { recursive: true });
  }
});

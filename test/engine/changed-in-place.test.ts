import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { makeFolder } from "../../src/daemon/guest/container-files.ts";
import { readSourceFiles, writeSourceFiles } from "../../src/daemon/upgrade/source-files.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { engineCommand } from "../support/in-container.ts";
import { createTiny, launchedDaemon } from "../support/tiny-container.ts";

/** What is changed in a container keeps what is a person's: links to where files are kept, settings of their own. */
let daemon: TestDaemon;
let engine: Engine;

before(async () => {
  daemon = await launchedDaemon();
  engine = await engineOf(daemon);
  await createTiny(daemon, "web");
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});

test("apt sources behind links are switched where they are, and the links stay", async () => {
  using files = await engine.fileSession("web");
  for (const folder of ["/home/anna/apt", "/etc/apt/sources.list.d"]) await makeFolder(files, folder);
  const line = "deb http://deb.debian.org/debian bullseye main\n";
  await files.create("/home/anna/apt/mine", Buffer.from(line), { uid: 1000, gid: 1000, mode: 0o640 });
  await files.symlink("/home/anna/apt/current", "mine");
  await files.symlink("/etc/apt/sources.list", "../../home/anna/apt/current");
  await files.symlink("/etc/apt/sources.list.d/same.list", "../sources.list");
  const originals = await readSourceFiles(files);
  await writeSourceFiles(files, originals, () => ({ suite: () => "bookworm" }));
  assert.equal(
    (await files.read("/home/anna/apt/mine", 1000)).toString(),
    "deb http://deb.debian.org/debian bookworm main\n",
  );
  const { type, uid, gid, mode } = await files.lstat("/home/anna/apt/mine");
  assert.deepEqual([type, uid, gid, mode & 0o777], ["file", 1000, 1000, 0o640]);
  for (const [path, target] of [
    ["/home/anna/apt/current", "mine"],
    ["/etc/apt/sources.list", "../../home/anna/apt/current"],
    ["/etc/apt/sources.list.d/same.list", "../sources.list"],
  ] as const) {
    assert.equal(await files.readlink(path), target);
  }
});

test("the name of the time zone behind a link is written there, and the link stays", async () => {
  using files = await engine.fileSession("web");
  for (const folder of ["/usr/share/zoneinfo", "/data"]) await makeFolder(files, folder);
  const root = { uid: 0, gid: 0, mode: 0o644 };
  await files.create("/usr/share/zoneinfo/UTC", Buffer.from("TZif"), root);
  await files.create("/data/zone", Buffer.from("Europe/Berlin\n"), root);
  await files.symlink("/etc/timezone", "/data/zone");
  const request = { containerNames: ["web"], timezoneName: "UTC" };
  const { successes, failureReasons } = await daemon.tremplin.setTimezone(request);
  assert.equal(successes, 1, failureReasons.join());
  assert.equal(await files.readlink("/etc/timezone"), "/data/zone");
  assert.equal((await files.read("/data/zone", 100)).toString(), "UTC\n");
});

test("a time zone that a person has set for a container's programs stays", async () => {
  const { tremplin } = daemon;
  const variable = async () => (await engine.instances.get("web")).value.config["environment.TZ"];
  const berlin = { containerNames: ["web"], timezoneName: "Europe/Berlin", posixTzString: "CET-1CEST" };
  await engineCommand(daemon, "config", "set", "web", "environment.TZ=Asia/Tokyo");
  const refused = await tremplin.setTimezone(berlin);
  assert.match(
    refused.failureReasons.join(),
    /environment.TZ has the value Asia\/Tokyo, which the daemon did not set$/,
  );
  assert.equal((await tremplin.setTimezone({ ...berlin, timezoneName: "UTC" })).successes, 1);
  assert.equal(await variable(), "Asia/Tokyo");
  await engineCommand(daemon, "config", "unset", "web", "environment.TZ");
  assert.equal((await tremplin.setTimezone(berlin)).successes, 1);
  assert.equal((await tremplin.setTimezone({ ...berlin, posixTzString: "EET-2EEST" })).successes, 1);
  assert.equal(await variable(), "EET-2EEST");
  await engineCommand(daemon, "config", "set", "web", "environment.TZ=UTC0");
  assert.equal((await tremplin.setTimezone({ ...berlin, timezoneName: "UTC" })).successes, 1);
  assert.equal(await variable(), "UTC0");
});

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withCode } from "../../../test/support/with-code.ts";
import { runFolderOf } from "./run-flag.ts";

test("up and down are about the host that the other commands use", async (t) => {
  const place = await mkdtemp(join(tmpdir(), "run-flag-"));
  t.after(() => rm(place, { recursive: true }));
  const pathOf = async (run?: string, host?: string) =>
    (await runFolderOf({ ...(run && { run }) }, host)).path;
  assert.equal(await pathOf(undefined, ""), "/run/tremplin");
  assert.equal(await pathOf(undefined, `unix:${place}/host.sock`), place);
  assert.equal(await pathOf("/other", `unix:${place}/host.sock`), "/other");
  await assert.rejects(pathOf(undefined, "tcp:10.0.0.1:7700"), /name the folder with --run/);
  await assert.rejects(pathOf(undefined, `unix:${place}/console.sock`), withCode("invalid"));
  await mkdir(join(place, "run"));
  await writeFile(join(place, "containers.img"), "");
  await assert.rejects(pathOf(undefined, `unix:${place}/run/host.sock`), /tremplin machine up and down/);
});

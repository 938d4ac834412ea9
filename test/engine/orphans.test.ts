import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../src/cli/program.ts";
import { Orphan_Kind as Kind } from "../../src/contract/tremplin/v1/guest_pb.js";
import { formatAddress } from "../../src/transport/address.ts";
import { RecordedIo } from "../support/command-line.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { beginExport } from "../support/export-container.ts";
import { type HeldCompressor, heldCompressor } from "../support/held-compressor.ts";
import { type HostOf, hostOf } from "../support/host-of.ts";
import { engineCommand, engineQuery } from "../support/in-container.ts";
import { execute } from "../support/system-state.ts";
import { createTiny, launchedDaemon } from "../support/tiny-container.ts";

const LONG = "00112233445566aa";
const SHORT = "0011aabb";

let daemon: TestDaemon;
let packer: HeldCompressor;
let host: HostOf;

before(async () => {
  packer = await heldCompressor();
  daemon = await launchedDaemon({ env: { PATH: packer.path } });
  host = await hostOf(daemon);
  await createTiny(daemon, "web");
});
after(async () => {
  await packer?.release();
  await host?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
  await packer?.[Symbol.asyncDispose]();
});

async function orphans() {
  const { orphans: found } = await daemon.guest.listOrphans({});
  return found.map(({ kind, containerName, name, operation }) => [kind, containerName, name, operation]);
}

async function advice(): Promise<string[]> {
  const io = new RecordedIo();
  const line = ["doctor", "--json", "--run", daemon.folder, "--state", `${daemon.folder}/state`];
  await run([...line, "--host", formatAddress(host.address)], io);
  const { findings } = JSON.parse(io.stdout);
  return findings
    .filter(({ name, state }: { name: string; state: string }) => name === "orphans" && state === "note")
    .map(({ advice: said }: { advice: string }) => said);
}

test("an engine without leftovers has none, also while an operation holds a snapshot", async () => {
  assert.deepEqual(await orphans(), []);
  await packer.hold();
  await beginExport(daemon, "web", "web.tar.gz");
  await packer.held();
  const snapshots = (await engineQuery(daemon, "/1.0/instances/web/snapshots")) as string[];
  assert.match(snapshots[0] ?? "", /tremplin-export-[0-9a-f]{16}$/);
  assert.deepEqual(await orphans(), []);
  await packer.release();
  await daemon.listener.final("export", "web");
});

test("what bears our names or mark and is of no operation is listed, and what a person made is not", async () => {
  const engine = (...words: string[]) => engineCommand(daemon, ...words);
  await engine("copy", "web", `tremplin-aside-${LONG}`);
  await engine("copy", "web", `tremplin-create-${SHORT}`);
  for (const name of [
    `tremplin-remap-${LONG}`,
    `tremplin-export-${SHORT}`,
    `tremplin-upgrade-${LONG}`,
    `tremplin-upgrade-${SHORT}`,
    "tremplin-upgrade-notes",
    "before-the-party",
  ]) {
    await engine("snapshot", "web", name);
  }
  const expires = JSON.stringify({ expires_at: new Date(Date.now() + 7 * 24 * 3600_000).toISOString() });
  const path = `/1.0/instances/web/snapshots/tremplin-upgrade-${SHORT}`;
  await engine("query", "--request", "PUT", "--wait", "--data", expires, path);
  await engine("publish", "web", `tremplin-operation=${LONG}`);
  const images = (await engineQuery(daemon, "/1.0/images")) as string[];
  const fingerprint = images[0]?.split("/").at(-1) ?? "";
  assert.deepEqual((await orphans()).sort(), [
    [Kind.CONTAINER, "", `tremplin-create-${SHORT}`, SHORT],
    [Kind.SNAPSHOT, "web", `tremplin-export-${SHORT}`, SHORT],
    [Kind.SNAPSHOT, "web", `tremplin-remap-${LONG}`, LONG],
    [Kind.SNAPSHOT, "web", `tremplin-upgrade-${LONG}`, LONG],
    [Kind.IMAGE, "", fingerprint, LONG],
    [Kind.REPLACED_CONTAINER, "", `tremplin-aside-${LONG}`, LONG],
  ]);
});

test("what an operation left whose record was set aside is none, nor is an image that a person named", async () => {
  const before = await orphans();
  const record = join(daemon.folder, `state/journal/${LONG}.json.unreadable`);
  await writeFile(record, "{");
  assert.deepEqual(
    (await orphans()).map(([, , , operation]) => operation),
    [SHORT, SHORT],
  );
  await rm(record);
  assert.deepEqual(await orphans(), before);
  const [image] = (await engineQuery(daemon, "/1.0/images")) as string[];
  await engineCommand(daemon, "image", "alias", "create", "mine", image?.split("/").at(-1) ?? "");
  assert.ok(!(await orphans()).some(([kind]) => kind === Kind.IMAGE));
  await engineCommand(daemon, "image", "alias", "delete", "mine");
});

test("the commands that doctor gives show each orphan, and remove or rename it", async () => {
  const said = await advice();
  assert.equal(said.length, 6);
  const environment = { ...process.env, LXD_CONF: daemon.folder, INCUS_CONF: daemon.folder };
  for (const each of said) {
    const [show, act] = each.replace("on the guest, ", "").split(/ shows it[;,] (?:to use it again, )?/);
    for (const command of [show, act?.replace(/ removes it$/, "")]) {
      const words = command?.replace("sudo ", "env ").replace("NAME", "old-web").split(" ") ?? [];
      const running = execute(words[0] ?? "", words.slice(1), { env: environment });
      running.child.stdin?.end();
      await running;
    }
  }
  assert.deepEqual(await orphans(), []);
  assert.deepEqual(await advice(), []);
  const left = (await engineQuery(daemon, "/1.0/instances")) as string[];
  assert.deepEqual(left.sort(), ["/1.0/instances/old-web", "/1.0/instances/web"]);
  const snapshots = (await engineQuery(daemon, "/1.0/instances/web/snapshots")) as string[];
  assert.deepEqual(snapshots.map((each) => each.split("/").at(-1)).sort(), [
    "before-the-party",
    `tremplin-upgrade-${SHORT}`,
    "tremplin-upgrade-notes",
  ]);
});

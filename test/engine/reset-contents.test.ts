import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { remainsOfReset, startLxd } from "../support/database-reset.ts";
import { engineOf } from "../support/engine-of.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { engineCommand, engineQuery, inContainer } from "../support/in-container.ts";
import { execute } from "../support/system-state.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";
import { tinyImage } from "../support/tiny-image.ts";

const PROJECT = "lab";

async function upload(engine: Engine, alias: string, project?: string): Promise<string> {
  await using image = await tinyImage({ "etc/who": alias });
  const files = [createReadStream(image.metadata), createReadStream(image.rootfs)] as const;
  const { fingerprint } = await engine.images.uploadSplit(...files, {
    project,
    properties: { owner: "anna" },
  });
  await engine.images.addAlias(alias, fingerprint, { project, description: `of ${alias}` });
  return fingerprint;
}

/** What a person may have made in an engine besides containers, one of each kind. */
async function makeHoldings(daemon: TestDaemon): Promise<void> {
  const lxc = (...words: string[]) => engineCommand(daemon, ...words);
  await using engine = await engineOf(daemon);
  await upload(engine, "mine");
  await lxc("storage", "volume", "create", "default", "box");
  await lxc("storage", "volume", "snapshot", "default", "box", "first");
  await lxc("storage", "volume", "set", "default", "box", "user.what", "papers");
  await lxc("storage", "volume", "set", "default", "box", "snapshots.expiry", "3d");
  await engine.pools.volumes("default").update("box", (box) => ({ ...box, description: "papers" }));
  await lxc("network", "acl", "create", "web");
  await lxc("network", "acl", "create", "db");
  await lxc(
    ...["network", "acl", "rule", "add", "web", "ingress"],
    ...["action=allow", "protocol=tcp", "destination_port=80"],
  );
  await lxc("network", "set", daemon.bridge, "dns.domain", "home");
  await lxc("network", "zone", "create", "home.example");
  await lxc("network", "zone", "record", "create", "home.example", "printer");
  await lxc("network", "forward", "create", daemon.bridge, "192.0.2.7", "user.who=anna");
  await lxc("profile", "device", "set", "default", "root", "size", "3GiB");
  await lxc("profile", "set", "default", "limits.processes", "900");
  await lxc("config", "set", "images.auto_update_interval", "12");
  await lxc("config", "set", "user.note", "kept");
  const certificate = join(daemon.folder, "client.crt");
  await execute("openssl", [
    ...[
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=anna",
    ],
    ...["-days", "100", "-keyout", join(daemon.folder, "client.key"), "-out", certificate],
  ]);
  await lxc("config", "trust", "add", certificate, "--name", "laptop");
}

/** A second project, with a container, an image, a profile and a volume of its own. */
async function makeProject(daemon: TestDaemon): Promise<void> {
  const lxc = (...words: string[]) => engineCommand(daemon, ...words, "--project", PROJECT);
  await engineCommand(daemon, "project", "create", PROJECT, "-c", "user.room=12");
  await using engine = await engineOf(daemon);
  await upload(engine, "theirs", PROJECT);
  await lxc("profile", "device", "add", "default", "root", "disk", "pool=default", "path=/");
  await lxc("profile", "create", "small");
  await lxc("profile", "set", "small", "limits.memory", "200MiB");
  await lxc("storage", "volume", "create", "default", "box", "user.what=samples");
  await lxc("init", "theirs", "bench", "--profile", "default", "--profile", "small");
}

/** All of it, as the engine tells it. */
async function holdings(daemon: TestDaemon): Promise<unknown> {
  const get = (path: string) => engineQuery(daemon, path);
  const list = async (path: string, query = "") =>
    without(await get(`${path}?recursion=1${query}`), ["last_used_at", "uploaded_at", "created_at"]);
  const server = (await get("/1.0")) as { config: unknown };
  const inProject = `&project=${PROJECT}`;
  return {
    server: server.config,
    projects: await list("/1.0/projects"),
    images: [await list("/1.0/images"), await list("/1.0/images", inProject)],
    volumes: [
      await list("/1.0/storage-pools/default/volumes/custom"),
      await list("/1.0/storage-pools/default/volumes/custom", inProject),
    ],
    acls: await list("/1.0/network-acls"),
    zones: [await list("/1.0/network-zones"), await list("/1.0/network-zones/home.example/records")],
    network: ((await get(`/1.0/networks/${daemon.bridge}`)) as { config: unknown }).config,
    forwards: await list(`/1.0/networks/${daemon.bridge}/forwards`),
    profiles: [await list("/1.0/profiles"), await list("/1.0/profiles", inProject)],
    certificates: await list("/1.0/certificates"),
    containers: await engineCommand(daemon, "list", "--all-projects", "-f", "csv", "-c", "enS"),
  };
}

/** Without what says when, and in the order of names: a new database has its own. */
function without(value: unknown, keys: readonly string[]): unknown {
  const text = JSON.stringify(value, (key, inner) => {
    if (keys.includes(key)) return undefined;
    if (Array.isArray(inner))
      return [...inner].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    return inner;
  });
  return JSON.parse(text);
}

async function imageFiles(daemon: TestDaemon): Promise<string[]> {
  return (await readdir(join(daemon.folder, "state/lxd/images"))).sort();
}

test("a reset brings back images, volumes' config, ACLs, zones, projects, trust and config of the engine", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  await makeHoldings(daemon);
  await makeProject(daemon);
  const before = await holdings(daemon);
  const files = await imageFiles(daemon);

  assert.equal(await startLxd(daemon, true), "");
  assert.deepEqual(await holdings(daemon), before);
  assert.deepEqual(await imageFiles(daemon), files);
  assert.deepEqual(await remainsOfReset(daemon), []);
  await engineCommand(daemon, "launch", "mine", "fresh");
  assert.equal(await inContainer(daemon, "fresh", "cat", "/etc/who"), "mine");
  await engineCommand(daemon, "delete", "--force", "fresh");

  // A database that is lost is made from what was written down, also of what changed in the other project.
  await engineCommand(daemon, "profile", "set", "small", "limits.cpu", "1", "--project", PROJECT);
  const changed = await holdings(daemon);
  await recorded(daemon, '"limits.cpu":"1"');
  await daemon.kill();
  process.kill(await enginePid(daemon), "SIGKILL");
  await rm(join(daemon.folder, "state/lxd/database"), { recursive: true });
  await daemon.start();
  assert.equal(await startLxd(daemon), "");
  assert.deepEqual(await holdings(daemon), changed);
});

async function recorded(daemon: TestDaemon, text: string): Promise<void> {
  await eventually("the record", async () => {
    const file = await readFile(join(daemon.folder, "state/lxd.setup.json"), "utf8");
    return file.includes(text) ? true : undefined;
  });
}

test("a reset that fails gives back everything, images too", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  await makeHoldings(daemon);
  await makeProject(daemon);
  await rm(join(daemon.folder, "state/lxd/storage-pools/default/containers/lab_bench/backup.yaml"));
  await writeFile(
    join(daemon.folder, "state/lxd/storage-pools/default/containers/penguin/backup.yaml"),
    "no: [",
  );
  const before = await holdings(daemon);
  const files = await imageFiles(daemon);

  assert.match(await startLxd(daemon, true), /the old one is in use again$/);
  assert.deepEqual(await holdings(daemon), before);
  assert.deepEqual(await imageFiles(daemon), files);
  assert.deepEqual(await remainsOfReset(daemon), []);
  await engineCommand(daemon, "launch", "mine", "fresh");
  assert.equal(await inContainer(daemon, "fresh", "cat", "/etc/who"), "mine");
});

test("what cannot be brought back is named, and the old database is kept until it is there again", async () => {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "penguin");
  await using engine = await engineOf(daemon);
  const fingerprint = await upload(engine, "mine");
  await upload(engine, "other");
  await engineCommand(daemon, "config", "set", "core.trust_password", "secret");
  const file = join(daemon.folder, "state/lxd/images", fingerprint);
  const content = await readFile(file);
  await engineCommand(daemon, "storage", "volume", "create", "default", "box", "user.what=papers");
  await engineCommand(daemon, "storage", "volume", "snapshot", "default", "box", "first");
  await writeFile(file, "damaged");

  const remark = await startLxd(daemon, true);
  assert.match(remark, new RegExp(`image ${fingerprint.slice(0, 12)} \\(.*\\)`));
  assert.match(remark, /config core\.trust_password of the engine \(it is a secret/);
  assert.match(
    remark,
    /are kept in .*\/lxd \(database\.old, images\.old, networks\.old\); see docs\/recovery\.md/,
  );
  const kept = ["database.old", "images.old", "networks.old"];
  assert.deepEqual(await remainsOfReset(daemon), kept);
  await using next = await engineOf(daemon);
  const aliases = async () =>
    (await next.images.list()).flatMap((image) => image.aliases ?? []).map(({ name }) => name);
  assert.deepEqual(await aliases(), ["other"]);
  await startContainer(daemon, "penguin");

  // A second reset does not let go of what is missing since the first, and keeps nothing besides.
  assert.match(await startLxd(daemon, true), new RegExp(`image ${fingerprint.slice(0, 12)}`));
  assert.deepEqual(await remainsOfReset(daemon), kept);

  // Mended, it comes back with the next; the secret is still missing.
  await writeFile(join(daemon.folder, "state/lxd/images.old", fingerprint), content);
  const last = await startLxd(daemon, true);
  assert.doesNotMatch(last, /image [0-9a-f]/);
  assert.match(last, /config of the snapshot first of volume default\/box \(.*user\.what=papers\)/);
  assert.match(last, /core\.trust_password/);
  await using final = await engineOf(daemon);
  assert.equal(await final.images.resolve("mine"), fingerprint);
});

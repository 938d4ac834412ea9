import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import {
  CreateContainerResponse_Status as Create,
  ContainerCreationProgress_Status as Created,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { eventually } from "../support/eventually.ts";
import { engineCommand, engineQuery } from "../support/in-container.ts";
import { Simplestreams } from "../support/simplestreams.ts";
import { launchedDaemon, startContainer, tinyRequest } from "../support/tiny-container.ts";

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
});
after(() => daemon[Symbol.asyncDispose]());

function imageServer(): Promise<Simplestreams> {
  const { rootfsPath, metadataPath } = tinyRequest(daemon, "");
  return Simplestreams.open({ alias: "tiny/1", rootfsPath, metadataPath });
}

async function instances(): Promise<string[]> {
  const urls = (await engineQuery(daemon, "/1.0/instances")) as string[];
  return urls.map((url) => url.split("/").at(-1) ?? "");
}

test("creates from an image server, with the percentage of the download", async () => {
  await using server = await imageServer();
  server.bytesPerSecond = 400_000;
  const request = { containerName: "served", imageServer: server.url, imageAlias: "tiny/1" };
  assert.equal((await daemon.tremplin.createContainer(request)).status, Create.CREATING);
  const final = await daemon.listener.final("create", "served");
  assert.equal(final.status, Created.CREATED, final.failureReason);
  const percents = daemon.listener
    .messages("create", "served")
    .filter(({ status }) => status === Created.DOWNLOADING)
    .map(({ downloadProgress }) => downloadProgress);
  assert.ok(new Set(percents).size >= 3, `too few: ${percents}`);
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  );
  assert.ok(percents.every((percent) => percent >= 0 && percent <= 100));
  await startContainer(daemon, "served");
});

test("an alias that the server does not have is FAILED with the engine's message", async () => {
  await using server = await imageServer();
  const request = { containerName: "wrong", imageServer: server.url, imageAlias: "tiny/2" };
  assert.equal((await daemon.tremplin.createContainer(request)).status, Create.CREATING);
  const final = await daemon.listener.final("create", "wrong");
  assert.equal(final.status, Created.FAILED);
  assert.match(final.failureReason, /requested image couldn't be found/);
});

test("a server that is down is FAILED, and nothing orphaned stays", async () => {
  const request = { containerName: "down", imageServer: "http://127.0.0.1:9", imageAlias: "tiny/1" };
  assert.equal((await daemon.tremplin.createContainer(request)).status, Create.CREATING);
  const final = await daemon.listener.final("create", "down");
  assert.equal(final.status, Created.FAILED);
  assert.match(final.failureReason, /connection refused/);
  assert.deepEqual(
    (await instances()).filter((name) => name.startsWith("tremplin-")),
    [],
  );
});

test("a file that is not a tarball is FAILED, and its image does not stay", async () => {
  const images = async () => (await engineQuery(daemon, "/1.0/images")) as string[];
  const before = await images();
  const rootfsPath = join(daemon.shared, "noise.tar.gz");
  await writeFile(rootfsPath, "this is no tarball");
  const request = { ...tinyRequest(daemon, "noise"), rootfsPath };
  assert.equal((await daemon.tremplin.createContainer(request)).status, Create.CREATING);
  assert.equal((await daemon.listener.final("create", "noise")).status, Created.FAILED);
  assert.deepEqual(await images(), before);
  assert.ok(!(await instances()).includes("noise"));
});

test("invalid sources are refused at once, each with its reason", async () => {
  const good = tinyRequest(daemon, "refused");
  const { shared } = daemon;
  const outside = join(daemon.folder, "outside.tar.gz");
  await writeFile(outside, "secret");
  await symlink(outside, join(shared, "link.tar.gz"));
  await symlink(daemon.folder, join(shared, "way-out"));
  await mkdir(join(shared, "folder"));
  await promisify(execFile)("mkfifo", [join(shared, "pipe")]);
  const cases: [object, RegExp][] = [
    [{ rootfsPath: "" }, /go together: rootfs_path is missing/],
    [{ metadataPath: "" }, /go together: metadata_path is missing/],
    [{ rootfsPath: join(shared, "none.tar.gz") }, /cannot open .*none\.tar\.gz.*no such file/],
    [{ rootfsPath: outside }, /does not lie under the shared folder/],
    [{ rootfsPath: join(shared, "../outside.tar.gz") }, /does not lie under the shared folder/],
    [{ rootfsPath: join(shared, "link.tar.gz") }, /does not lie under the shared folder/],
    [{ metadataPath: join(shared, "way-out/outside.tar.gz") }, /does not lie under the shared folder/],
    [{ rootfsPath: "rootfs.tar.gz" }, /not an absolute path/],
    [{ rootfsPath: join(shared, "folder") }, /not a regular file/],
    [{ rootfsPath: join(shared, "pipe") }, /not a regular file/],
    [
      { rootfsPath: "", metadataPath: "", imageServer: "ftp://x", imageAlias: "a" },
      /not an http or https URL/,
    ],
    [{ rootfsPath: "", metadataPath: "" }, /not an http or https URL/],
    [{ rootfsPath: "", metadataPath: "", imageServer: "https://x" }, /image_alias is missing/],
    [{ containerName: "1st" }, /1 to 63 letters, digits and hyphens/],
    [{ containerName: "tremplin-create-01234567" }, /reserved for temporary containers/],
  ];
  for (const [change, reason] of cases) {
    const { status, failureReason } = await daemon.tremplin.createContainer({ ...good, ...change });
    assert.equal(status, Create.FAILED, failureReason);
    assert.match(failureReason, reason);
  }
  assert.deepEqual(daemon.listener.messages("create", "refused"), []);
  await rm(join(shared, "pipe"));
});

test("the image of tarballs is deleted afterwards, and the same tarballs work again", async () => {
  for (const name of ["again-1", "again-2"]) {
    assert.equal((await daemon.tremplin.createContainer(tinyRequest(daemon, name))).status, Create.CREATING);
    assert.equal((await daemon.listener.final("create", name)).status, Created.CREATED);
    await startContainer(daemon, name);
  }
  const images = (await engineQuery(daemon, "/1.0/images?recursion=1")) as { cached: boolean }[];
  assert.deepEqual(
    images.filter(({ cached }) => !cached),
    [],
  );
});

test("many parallel creates from the same tarballs succeed", async () => {
  const names = Array.from({ length: 6 }, (_, index) => `side-${index}`);
  const create = async (name: string): Promise<Created> => {
    assert.equal((await daemon.tremplin.createContainer(tinyRequest(daemon, name))).status, Create.CREATING);
    const { status, failureReason } = await daemon.listener.final("create", name);
    assert.equal(status, Created.CREATED, failureReason);
    return status;
  };
  await Promise.all(names.map(create));
  const images = (await engineQuery(daemon, "/1.0/images?recursion=1")) as { cached: boolean }[];
  assert.deepEqual(
    images.filter(({ cached }) => !cached),
    [],
  );
});

test("an uploaded image to which a user gives an alias meanwhile stays", async () => {
  await using engine = await engineOf(daemon);
  const rootfsPath = join(daemon.shared, "named.tar");
  await promisify(execFile)("sh", [
    "-ec",
    'gunzip -c "$1" >"$2"; head -c 60000000 /dev/urandom >/tmp/$$; tar -rf "$2" --transform "s,.*,random," -C / tmp/$$; rm /tmp/$$',
    "sh",
    tinyRequest(daemon, "").rootfsPath,
    rootfsPath,
  ]);
  const request = { ...tinyRequest(daemon, "named"), rootfsPath };
  assert.equal((await daemon.tremplin.createContainer(request)).status, Create.CREATING);
  const { fingerprint } = await eventually("the image", async () =>
    (await engine.images.list()).find(({ properties }) => "tremplin-operation" in properties),
  );
  await engineCommand(daemon, "image", "alias", "create", "mine", fingerprint);
  const final = await daemon.listener.final("create", "named");
  assert.equal(final.status, Created.CREATED, final.failureReason);
  assert.equal(await engine.images.resolve("mine"), fingerprint);
  await engine.images.delete(fingerprint);
});

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ContainerImportProgress_Status as Imported } from "../../src/contract/tremplin_pb.js";
import { instanceFolder } from "../../src/engine/storage/local-paths.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { execute } from "../support/system-state.ts";
import { type RawMember, tarBytes } from "../support/tar-bytes.ts";
import { importBackup, imported, plainMetadata, shareBackup } from "../support/tiny-backup.ts";
import {
  createTiny,
  launch,
  launchedDaemon,
  shareTinyImage,
  startContainer,
} from "../support/tiny-container.ts";

let daemon: TestDaemon;
let secret: string;
let untouched: unknown;

before(async () => {
  daemon = await launchedDaemon();
  await createTiny(daemon, "victim");
  untouched = await engineQuery(daemon, "/1.0/instances/victim");
  secret = join(daemon.folder, "secret");
  await writeFile(secret, "secret");
});
after(() => daemon[Symbol.asyncDispose]());

const metadata: RawMember = { name: "metadata.yaml", content: plainMetadata };
const root: RawMember = { name: "rootfs/", type: "5" };
const good = [metadata, root, { name: "rootfs/etc/", type: "5" }, { name: "rootfs/etc/x", content: "x" }];

/** Imports these members over the victim. The import must be refused and change nothing. */
async function refused(members: readonly RawMember[], reason: RegExp, pack = true): Promise<void> {
  const bytes = tarBytes(members);
  await writeFile(join(daemon.shared, "hostile.tini"), pack ? gzipSync(bytes, { level: 1 }) : bytes);
  await refusedFile("hostile.tini", reason);
}

async function refusedFile(path: string, reason: RegExp): Promise<void> {
  const { status, failureReason } = await importBackup(daemon, "victim", path);
  assert.equal(status, Imported.FAILED, failureReason);
  assert.match(failureReason, reason);
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances/victim"), untouched);
  assert.deepEqual(await engineQuery(daemon, "/1.0/instances"), ["/1.0/instances/victim"]);
  assert.deepEqual(await engineQuery(daemon, "/1.0/images"), []);
  assert.equal(await readFile(secret, "utf8"), "secret");
}

const out = "/var/tmp/tremplin-was-here";

const hostile: readonly [what: string, members: readonly RawMember[], reason: RegExp][] = [
  [
    "a name with ..",
    [...good, { name: "rootfs/../../../../../../../../var/tmp/x" }],
    /outside the container/,
  ],
  ["an absolute name", [...good, { name: out }], /outside the container/],
  [
    "rootfs that is a link",
    [metadata, { name: "rootfs", type: "2", link: "/etc" }],
    /symbolic link "rootfs"/,
  ],
  [
    "rootfs that becomes a link",
    [...good, { name: "rootfs", type: "2", link: "/etc" }],
    /symbolic link "rootfs"/,
  ],
  ["a hard link out", [...good, { name: "rootfs/h", type: "1", link: "../../../etc/shadow" }], /hard link/],
  ["an absolute hard link", [...good, { name: "rootfs/h", type: "1", link: "/etc/shadow" }], /hard link/],
  [
    "a hard link beside rootfs",
    [...good, { name: "rootfs/h", type: "1", link: "metadata.yaml" }],
    /hard link/,
  ],
  [
    "a template that is a link",
    [...good, { name: "templates/", type: "5" }, { name: "templates/a", type: "2", link: "/etc/shadow" }],
    /symbolic link "templates\/a"/,
  ],
  [
    "a template target with ..",
    [
      {
        name: "metadata.yaml",
        content: `${plainMetadata}templates:\n  /../../../x: {when: [create], template: a}\n`,
      },
      root,
    ],
    /outside the container/,
  ],
  ["a second metadata.yaml", [...good, { name: "./metadata.yaml", content: "a: b" }], /metadata\.yaml/],
  [
    "metadata.yaml that is a link",
    [{ name: "metadata.yaml", type: "2", link: "/etc/shadow" }, root],
    /not a backup/,
  ],
  ["metadata.yaml that is a device", [{ name: "metadata.yaml", type: "3" }, root], /not a backup/],
  [
    "metadata.yaml of more than 1 MiB",
    [{ name: "metadata.yaml", content: Buffer.alloc(2 ** 20 + 1, "#") }, root],
    /larger than 1048576 bytes/,
  ],
  [
    "metadata.yaml of a mebibyte of brackets",
    [{ name: "metadata.yaml", content: Buffer.alloc(2 ** 20, "[") }, root],
    /too many levels of nesting/,
  ],
  [
    "an index of the engine's own",
    [...good, { name: "backup.yaml", content: "a: b" }],
    /file "backup\.yaml"/,
  ],
  ["a virtual machine", [metadata, { name: "rootfs.img", content: "x" }], /file "rootfs\.img"/],
  ["no rootfs", [metadata], /no rootfs/],
  ["no metadata.yaml", [root, { name: "rootfs/x" }], /metadata\.yaml is missing/],
  [
    "a member larger than the archive",
    [...good, { name: "rootfs/huge", size: 2 ** 32 }],
    /the backup is damaged or truncated: tar cannot read all of it/,
  ],
];

for (const [what, members, reason] of hostile) {
  test(`${what} is refused`, () => refused(members, reason));
}

test("a name of gigabytes is refused in bounded memory", async () => {
  const long = { name: "././@LongLink", type: "L", size: 2 ** 32 };
  await refused([...good, long], /damaged|memory/, false);
});

test("harmless links and devices are imported, and stay confined to the container", async () => {
  const { failureReason, status } = await (async () => {
    await shareBackup(daemon, "odd.tini", {
      script: `ln -s ${secret} link; mkdir d; ln -s ../../../../../.. d/up; mknod null c 1 3
        ln bin/busybox hard; mkfifo pipe`,
    });
    return importBackup(daemon, "odd", "odd.tini");
  })();
  assert.equal(status, Imported.DONE, failureReason);
  await startContainer(daemon, "odd");
  const size = (path: string) =>
    inContainer(daemon, "odd", "sh", "-c", `head -c 1000 ${path} 2>/dev/null | wc -c`);
  for (const path of ["/link", "/null"]) assert.equal(await size(path), "0", path);
  assert.equal(await inContainer(daemon, "odd", "readlink", "/link"), secret);
  assert.ok(!(await readdir("/var/tmp")).includes("tremplin-was-here"));
  await daemon.tremplin.deleteContainer({ containerName: "odd" });
  await daemon.listener.final("delete", "odd");
});

test("disks and the memory of the machine are left out, and the result says so", async () => {
  const devices = [
    { name: "rootfs/dev/", type: "5" },
    { name: "rootfs/dev/loop0", type: "4", device: [7, 0] },
    { name: "rootfs/dev/kmsg", type: "3", device: [1, 11] },
    { name: "rootfs/dev/tty1", type: "3", device: [4, 1] },
    { name: "rootfs/dev/null", type: "3", device: [1, 3] },
    { name: "rootfs/dev/second", type: "1", link: "rootfs/dev/null" },
    { name: "rootfs/m", type: "3", device: [1, 1] },
    { name: "rootfs/m2", type: "1", link: "rootfs/m" },
  ] as const;
  await writeFile(join(daemon.shared, "hostile.tini"), tarBytes([...good, ...devices]));
  const { status, failureReason } = await importBackup(daemon, "left-out", "hostile.tini");
  assert.equal(status, Imported.DONE, failureReason);
  assert.match(failureReason, /left out: "\/dev\/loop0", "\/dev\/kmsg", "\/dev\/tty1", "\/m", "\/m2";/);
  assert.match(await daemon.log(), /parts of the backup were left out/);
  await using engine = await engineOf(daemon);
  const { value } = await engine.instances.get("left-out");
  const rootfs = join((await instanceFolder(engine, value)) ?? "", "rootfs");
  const { stdout } = await execute("find", [
    rootfs,
    "(",
    "-type",
    "b",
    "-o",
    "-type",
    "c",
    ")",
    "-printf",
    "%P ",
  ]);
  assert.deepEqual(stdout.trim().split(" ").sort(), ["dev/null", "dev/second"]);
  await daemon.tremplin.deleteContainer({ containerName: "left-out" });
  await daemon.listener.final("delete", "left-out");
});

test("a file below a link in the archive stays inside the container", async () => {
  const through = [
    ...good,
    { name: "rootfs/way", type: "2", link: daemon.folder },
    { name: "rootfs/way/planted", content: "planted" },
  ];
  await writeFile(join(daemon.shared, "hostile.tini"), tarBytes(through));
  const { status } = await importBackup(daemon, "through", "hostile.tini");
  assert.ok(!(await readdir(daemon.folder)).includes("planted"));
  if (status !== Imported.DONE) return;
  await daemon.tremplin.deleteContainer({ containerName: "through" });
  await daemon.listener.final("delete", "through");
});

test("10 GB of zeros on a small disk end as FAILED_SPACE with both numbers, and never fill the disk", async () => {
  await using small = await startDaemon();
  const disk = join(small.folder, "disk");
  await execute("truncate", ["--size", "2G", disk]);
  await execute("mkfs.ext4", ["-q", disk]);
  const state = join(small.folder, "state");
  await small.stop();
  await execute("mkdir", ["-p", state]);
  await execute("mount", ["-o", "loop", disk, state]);
  await small.start();
  await launch(small);
  await shareTinyImage(small);
  await shareBackup(small, "fits.tini");
  await imported(small, "kept", "fits.tini");
  const zeros = { name: "rootfs/zeros", size: 10 * 2 ** 30 };
  const head = tarBytes([metadata, root, zeros]).subarray(0, -1024);
  const part = gzipSync(Buffer.alloc(2 ** 26), { level: 1 });
  const parts = [gzipSync(head), ...Array.from({ length: 160 }, () => part), gzipSync(Buffer.alloc(1024))];
  await writeFile(join(small.shared, "zeros.tini"), Buffer.concat(parts));
  const { status, ...final } = await importBackup(small, "kept", "zeros.tini");
  assert.equal(status, Imported.FAILED_SPACE, final.failureReason);
  assert.ok(final.diskSpaceRequiredBytes >= 10n * 2n ** 30n, `${final.diskSpaceRequiredBytes}`);
  assert.ok(final.diskSpaceAvailableBytes < 2n * 2n ** 30n, `${final.diskSpaceAvailableBytes}`);
  await startContainer(small, "kept");
});

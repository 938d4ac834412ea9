import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  AttachUsbToContainerResponse_Status as Attached,
  ContainerExportProgress_Status as Exported,
} from "../../src/contract/tremplin_pb.js";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { beginExport, exportContainer } from "../support/export-container.ts";
import { type PrivateLxd, privateLxd } from "../support/private-lxd.ts";
import { openRemotely } from "../support/remote-lxd.ts";
import { execute } from "../support/system-state.ts";
import { createTiny, launch, shareTinyImage } from "../support/tiny-container.ts";

let lxd: PrivateLxd;
let daemon: TestDaemon;

before(async () => {
  lxd = await privateLxd();
  const { host, port } = await openRemotely(lxd);
  const file = (name: string): string => join(lxd.folder, name);
  const keys = [
    "--engine-cert",
    file("trusted.crt"),
    "--engine-key",
    file("trusted.key"),
    "--engine-ca",
    file("server.crt"),
  ];
  daemon = await startDaemon({ engine: `https://${host}:${port}`, args: keys });
  await launch(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "far");
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await lxd?.[Symbol.asyncDispose]();
});

function leftovers(): unknown[] {
  const query = (path: string): unknown[] => JSON.parse(lxd.cliSync("query", path));
  return [...query("/1.0/images"), ...query("/1.0/instances/far/snapshots")];
}

test("a container of an engine elsewhere is exported through an image that the engine makes", async () => {
  const final = await exportContainer(daemon, "far", "far.tar.gz");
  const path = join(daemon.shared, "far.tar.gz");
  const names = (await execute("tar", ["-tf", path])).stdout.trim().split("\n");
  assert.equal(names[0], "metadata.yaml");
  assert.ok(names.includes("rootfs/etc/passwd"));
  assert.equal(Number(final.bytesExported), (await stat(path)).size);
  assert.ok(final.totalInputBytes > 1_000_000n);
  assert.equal(final.inputBytesStreamed, final.totalInputBytes);
  const { stdout } = await execute("tar", ["-xOf", path, "metadata.yaml"]);
  assert.match(stdout, /createdByTremplin: "true"/);
  assert.deepEqual(leftovers(), []);
});

test("cancelled at once, it leaves nothing there and an empty file here", async () => {
  await beginExport(daemon, "far", "cancelled.tar.gz");
  await daemon.tremplin.cancelExportContainer({ inProgressContainerName: "far" });
  const final = await daemon.listener.final("export", "far");
  assert.equal(final.status, Exported.CANCELLED, final.failureReason);
  assert.equal((await stat(join(daemon.shared, "cancelled.tar.gz"))).size, 0);
  assert.deepEqual(leftovers(), []);
});

test("containers of a remote engine get no USB devices of this machine", async () => {
  const { status, failureReason } = await daemon.tremplin.attachUsbToContainer({
    portNum: 1,
    containerName: "far",
  });
  assert.equal(status, Attached.FAILED);
  assert.match(failureReason, /containers cannot use USB devices of this one/);
});

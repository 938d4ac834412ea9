import assert from "node:assert/strict";
import { test } from "node:test";
import { importBench } from "../../../test/support/operation-bench/import-fixture.ts";
import type { OperationBench } from "../../../test/support/operation-bench.ts";
import {
  ContainerExportProgress_Status as Exported,
  ContainerImportProgress_Status as Imported,
} from "../../contract/tremplin_pb.js";

/** A person who uses the engine's own command line ends what it does to a container. */
async function cancelAtEngine({ client }: OperationBench, container: string): Promise<void> {
  const operations = await client.operations.changing(container);
  assert.equal(operations.length, 1);
  for (const operation of operations) await operation.cancel();
}

// A host of ChromiumOS asserts that it has asked for each cancel of an export or import.
test("an export that somebody else cancels is FAILED, not CANCELLED", async () => {
  await using bench = await importBench();
  // The second is of the paused container.
  const snapshots = [1, 2].map(() => bench.engine.hold("POST", /snapshots$/, { mayCancel: true }));
  const id = await bench.begin("export", { containerName: "c1", exportPath: "out.tar.gz" });
  for (const snapshot of snapshots) {
    await snapshot.reached;
    await cancelAtEngine(bench, "c1");
  }
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Exported.FAILED);
  assert.equal(bench.host.finals(id).length, 1);
});

test("an import that somebody else cancels is FAILED, not CANCELLED", async () => {
  await using bench = await importBench();
  // The first is the empty one, into which the daemon cannot unpack by itself.
  bench.engine.hold("POST", /instances$/).release();
  const held = bench.engine.hold("POST", /instances$/, { mayCancel: true });
  const id = await bench.begin("import", { containerName: "c1", importPath: "backup.tar" });
  await held.reached;
  await cancelAtEngine(bench, `tremplin-import-${id}`);
  const { final } = await bench.outcome(id);
  assert.equal(final.status, Imported.FAILED);
  assert.equal(bench.host.finals(id).length, 1);
});

for (const kind of ["export", "import"] as const) {
  test(`an ${kind} during which the daemon shuts down is not CANCELLED: the next daemon ends it`, async () => {
    await using bench = await importBench();
    const held = bench.engine.hold("POST", kind === "export" ? /snapshots$/ : /instances$/);
    const request =
      kind === "export"
        ? { containerName: "c1", exportPath: "out.tar.gz" }
        : { containerName: "c1", importPath: "backup.tar" };
    const id = await bench.begin(kind, request);
    await held.reached;
    const stopped = bench.kill();
    held.release();
    await stopped;
    assert.deepEqual(bench.host.finals(id), []);
    await bench.restart();
    const { final } = await bench.outcome(id);
    assert.equal(final.status, kind === "export" ? Exported.FAILED : Imported.FAILED);
    assert.equal(bench.host.finals(id).length, 1);
  });
}

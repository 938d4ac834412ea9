import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ExportMeter } from "./export-meter.ts";

test("all counters start at zero", () => {
  assert.equal(new ExportMeter().hasTotals, false);
  assert.deepEqual(new ExportMeter().read(), {
    totalInputFiles: 0,
    totalInputBytes: 0n,
    inputFilesStreamed: 0,
    inputBytesStreamed: 0n,
    bytesExported: 0n,
  });
});

test("the reader's bytes count up to the total, and the end is exact", async () => {
  const folder = await mkdtemp(join(tmpdir(), "meter-"));
  try {
    await writeFile(join(folder, "out"), "12345");
    await using file = await open(join(folder, "out"));
    const meter = new ExportMeter();
    // This process has read much more than that.
    meter.expect({ files: 2, bytes: 10 });
    meter.watch(process.pid, file.fd);
    meter.countFiles(1);
    assert.equal(meter.read().inputBytesStreamed, 10n);
    assert.equal(meter.read().bytesExported, 5n);
    meter.countFiles(5);
    meter.finish();
    const end = meter.read();
    assert.deepEqual([end.inputFilesStreamed, end.inputBytesStreamed, end.bytesExported], [2, 10n, 5n]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the count does not fall when the reader has ended", () => {
  const meter = new ExportMeter();
  meter.expect({ files: 1, bytes: 1_000 });
  meter.watch(process.pid, 0);
  const before = meter.read().inputBytesStreamed;
  meter.watch(2 ** 22 + 1, 0);
  assert.equal(meter.read().inputBytesStreamed, before);
});

test("the file may be closed after unwatch", async () => {
  const file = await open("/proc/self/exe");
  const meter = new ExportMeter();
  meter.watch(process.pid, file.fd);
  const { bytesExported } = meter.read();
  meter.unwatch();
  await file.close();
  assert.equal(meter.read().bytesExported, bytesExported);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { OperationRecord } from "./operation-record.ts";
import { downloadProgress, parseDownloadProgress, unpackProgress } from "./progress.ts";

const withMetadata = (metadata: OperationRecord["metadata"]) => ({ metadata }) as OperationRecord;

test("the progress of a download is parsed", () => {
  assert.equal(parseDownloadProgress("metadata: 100% (5.23MB/s)"), 0);
  assert.equal(parseDownloadProgress("rootfs: 23% (358.09kB/s)"), 23);
  assert.equal(parseDownloadProgress("rootfs: 100% (1.30GB/s)"), 100);
});

for (const text of [
  "",
  "rootfs",
  "rootfs: %",
  "rootfs: x% (1MB/s)",
  "rootfs: -1% (1MB/s)",
  "rootfs: 101% (1MB/s)",
  "12%",
  "Unpack: 1% (1MB/s)\n",
  "rootfs: 5% <b>",
]) {
  test(`${JSON.stringify(text)} is no progress of a download`, () =>
    assert.equal(parseDownloadProgress(text), undefined));
}

test("every percentage is parsed, whatever the speed", () => {
  const speed = fc.stringMatching(/^[A-Za-z0-9 /.()]*$/);
  fc.assert(
    fc.property(
      fc.stringMatching(/^\w+$/),
      fc.integer({ min: 0, max: 100 }),
      speed,
      (word, percent, rest) => {
        const expected = word === "metadata" ? 0 : percent;
        assert.equal(parseDownloadProgress(`${word}: ${percent}% ${rest}`), expected);
      },
    ),
  );
});

test("any text gives a whole percentage or nothing", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^\w*:? ?\d*%? ?\(?.*$/));
  fc.assert(
    fc.property(text, (any) => {
      const percent = parseDownloadProgress(any);
      assert.ok(percent === undefined || (Number.isInteger(percent) && percent >= 0 && percent <= 100));
    }),
  );
});

test("an operation that does not download has no percentage", () => {
  assert.equal(downloadProgress(withMetadata({ download_progress: "rootfs: 7% (1MB/s)" })), 7);
  assert.equal(downloadProgress(withMetadata({ download_progress: 7 })), undefined);
  assert.equal(downloadProgress(withMetadata({})), undefined);
  assert.equal(downloadProgress(withMetadata(null)), undefined);
});

test("the progress of unpacking needs stage, percent and speed", () => {
  const progress = { stage: "create_instance_from_image_unpack", percent: "42", speed: "393129770" };
  const of = (change: object) => unpackProgress(withMetadata({ progress: { ...progress, ...change } }));
  assert.deepEqual(of({}), { percent: 42, speed: 393129770 });
  assert.deepEqual(of({ stage: "create_container_from_image_unpack" }), { percent: 42, speed: 393129770 });
  for (const change of [
    { stage: "something_else" },
    { stage: undefined },
    { percent: undefined },
    { percent: "101" },
    { percent: "-1" },
    { percent: "" },
    { speed: "fast" },
    { speed: undefined },
  ]) {
    assert.equal(of(change), undefined, JSON.stringify(change));
  }
  assert.equal(unpackProgress(withMetadata({ progress: null })), undefined);
  assert.equal(unpackProgress(withMetadata(null)), undefined);
});

test("whatever the metadata of an operation, its progress is two numbers or nothing", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("progress", "download_progress"), fc.anything()),
      (metadata) => {
        const progress = unpackProgress(withMetadata(metadata));
        assert.ok(progress === undefined || (progress.percent <= 100 && progress.speed >= 0));
        assert.ok((downloadProgress(withMetadata(metadata)) ?? 0) <= 100);
      },
    ),
  );
});

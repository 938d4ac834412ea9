import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescEnum } from "@bufbuild/protobuf";
import fc from "fast-check";
import { EventSchema } from "../contract/tremplin/v1/host_pb.js";
import * as contract from "../contract/tremplin_pb.js";
import { type NoticeText, noticeText } from "./notice-text.ts";

/** The statuses of an operation that continues, by the comments of the contract; every other one ends it. */
const statuses: Record<string, [statuses: DescEnum, going: string[], done: string]> = {
  startLxd: [contract.StartLxdProgress_StatusSchema, ["STARTING", "RECOVERING"], "STARTED"],
  create: [contract.ContainerCreationProgress_StatusSchema, ["DOWNLOADING"], "CREATED"],
  delete: [contract.ContainerDeletionProgress_StatusSchema, [], "DELETED"],
  start: [contract.ContainerStartProgress_StatusSchema, ["STARTING"], "STARTED"],
  stop: [contract.ContainerStopProgress_StatusSchema, ["STOPPING"], "STOPPED"],
  export: [
    contract.ContainerExportProgress_StatusSchema,
    ["EXPORTING_TAR", "EXPORTING_COMPRESS", "EXPORTING_DOWNLOAD", "EXPORTING_PACK", "EXPORTING_STREAMING"],
    "DONE",
  ],
  import: [contract.ContainerImportProgress_StatusSchema, ["IMPORTING_UPLOAD", "IMPORTING_UNPACK"], "DONE"],
  upgrade: [contract.UpgradeContainerProgress_StatusSchema, ["IN_PROGRESS"], "SUCCEEDED"],
};

function textOf(kind: string, value: object): NoticeText | undefined {
  return noticeText(create(EventSchema, { notice: { case: kind, value } as never }));
}

for (const [kind, [schema, going, done]] of Object.entries(statuses)) {
  test(`${kind}: each status means what the contract says`, () => {
    for (const { name, number } of schema.values) {
      const expected = going.includes(name) ? "going" : name === done ? "done" : "failed";
      assert.equal(textOf(kind, { status: number })?.state, expected, name);
    }
    assert.equal(textOf(kind, { status: 99 })?.state, "failed");
  });
}

test("the text of a failure includes its reason", () => {
  const text = textOf("create", { containerName: "web", status: 5, failureReason: "no\nspace" });
  assert.deepEqual(text, {
    container: "web",
    state: "failed",
    text: "creating failed: no space",
    reason: "no space",
  });
});

test("an export's percentage is the mean of files and bytes", () => {
  const text = textOf("export", {
    status: 7,
    totalInputFiles: 10,
    inputFilesStreamed: 1,
    totalInputBytes: 1000n,
    inputBytesStreamed: 500n,
  });
  assert.equal(text?.percent, 30);
});

test("an export that has not counted its files yet has no percentage", () => {
  const text = textOf("export", { status: 7 });
  assert.equal(text?.percent, undefined);
  assert.match(text?.text ?? "", /snapshot/);
});

test("upload and unpacking are the two halves of the percentage of an import", () => {
  assert.equal(textOf("import", { status: 3, progressPercent: 50 })?.percent, 25);
  assert.equal(textOf("import", { status: 4, progressPercent: 50 })?.percent, 75);
});

test("a percentage is between 0 and 100, whatever a guest sends", () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (downloadProgress) => {
      const percent = textOf("create", { status: 1, downloadProgress })?.percent ?? -1;
      assert.equal(percent >= 0 && percent <= 100, true);
    }),
  );
});

test("the beginning of a watch is not a notice", () => {
  assert.equal(textOf("begun", {}), undefined);
});

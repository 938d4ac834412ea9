import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { ContainerInfoSchema } from "../../contract/tremplin/v1/host_pb.js";
import { legalActions } from "./legal-actions.ts";

const begun = Date.UTC(2026, 10, 30, 12);

function refusals(info: Parameters<typeof legalActions>[0], failureReason = ""): Record<string, string> {
  return Object.fromEntries(
    legalActions(info, { failureReason }).map(({ action, refusal }) => [action, refusal]),
  );
}

test("the page knows what the host would say", () => {
  const info = create(ContainerInfoSchema, { container: { name: "web", state: "running" } });
  const found = refusals(info);
  assert.equal(found.stop, "");
  assert.equal(found.start, "web is running already");
});

test("an operation under way keeps others away, and says since when", () => {
  const info = create(ContainerInfoSchema, {
    container: { name: "web", state: "running", operation: "export" },
    operation: { kind: "export", begun: timestampFromMs(begun) },
  });
  assert.match(refusals(info).delete ?? "", /"export" is under way since 2026-11-30T12:00/);
  assert.equal(refusals(info).cancel, "");
});

test("of a guest that is away nothing is legal, for that reason", () => {
  const info = create(ContainerInfoSchema, { container: { name: "web", state: "running" }, stale: true });
  assert.ok(Object.values(refusals(info, "it is away")).every((refusal) => refusal === "it is away"));
});

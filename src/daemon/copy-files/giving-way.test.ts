import assert from "node:assert/strict";
import { test } from "node:test";
import { GivingWay } from "./giving-way.ts";

const { signal } = new AbortController();

test("a copy does not begin beside what returns a container to its earlier files, but beside what reads them", () => {
  const begin = (kind: string) => new GivingWay({ holder: () => ({ kind, startedAt: 0 }) }, "web", signal);
  for (const kind of ["import", "restore", "undo-upgrade", "upgrade"]) {
    assert.throws(() => begin(kind), { code: "busy" }, kind);
  }
  for (const kind of ["export", "snapshot"]) begin(kind)[Symbol.dispose]();
});

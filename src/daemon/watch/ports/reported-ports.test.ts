import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notice } from "../../notices/notice.ts";
import { mergeCleared, ReportedPorts } from "./reported-ports.ts";

/** The lists of a notice, as plain objects. */
function listsOf(notice: Notice | undefined): Record<string, number[]> | undefined {
  if (!notice) return undefined;
  const { containerPorts } = (notice as Notice<"updateListeningPorts">).message;
  return Object.fromEntries(
    Object.entries(containerPorts).map(([name, { listeningTcp4Ports }]) => [name, listeningTcp4Ports]),
  );
}

function lists(containers: Record<string, number[]>): Map<string, number[]> {
  return new Map(Object.entries(containers));
}

test("every running container has an entry, an empty one too", () => {
  const told = new ReportedPorts();
  assert.deepEqual(listsOf(told.next(lists({ a: [80, 443], b: [] }), false)), { a: [80, 443], b: [] });
});

test("nothing is told when nothing has changed, unless it is to be told again", () => {
  const told = new ReportedPorts();
  told.next(lists({ a: [80] }), false);
  assert.equal(told.next(lists({ a: [80] }), false), undefined);
  assert.deepEqual(listsOf(told.next(lists({ a: [80] }), true)), { a: [80] });
  assert.equal(new ReportedPorts().next(lists({}), true), undefined);
});

test("a change of one is told with all", () => {
  const told = new ReportedPorts();
  told.next(lists({ a: [80], b: [22] }), false);
  assert.deepEqual(listsOf(told.next(lists({ a: [81], b: [22] }), false)), { a: [81], b: [22] });
  assert.deepEqual(listsOf(told.next(lists({ a: [], b: [22] }), false)), { a: [], b: [22] });
});

test("a container that stopped gets one empty list, then no entry", () => {
  const told = new ReportedPorts();
  told.next(lists({ a: [80], b: [22] }), false);
  told.stopped("a");
  assert.deepEqual(listsOf(told.next(lists({ b: [22] }), false)), { a: [], b: [22] });
  assert.equal(told.next(lists({ b: [22] }), false), undefined);
  assert.deepEqual(listsOf(told.next(lists({ b: [22] }), true)), { b: [22] });
});

test("a container that was told to have no ports is not told to have stopped", () => {
  const told = new ReportedPorts();
  told.next(lists({ a: [] }), false);
  told.stopped("a");
  assert.equal(told.next(lists({}), false), undefined);
});

test("a container that stopped while no daemon was there gets its empty list", () => {
  const told = new ReportedPorts();
  told.stopped("a");
  assert.deepEqual(listsOf(told.next(lists({}), false)), { a: [] });
});

test("a container that was started again before that was told is told as it is", () => {
  const told = new ReportedPorts();
  told.next(lists({ a: [80] }), false);
  told.stopped("a");
  assert.deepEqual(listsOf(told.next(lists({ a: [81] }), false)), { a: [81] });
});

test("a notice that a newer one replaces still clears what only it cleared", () => {
  const told = new ReportedPorts();
  told.next(lists({ a: [80], b: [22] }), false);
  told.stopped("a");
  const older = told.next(lists({ b: [22] }), false) as Notice;
  const newer = told.next(lists({ b: [23], c: [] }), false) as Notice;
  const newest = told.next(lists({ b: [24], c: [] }), false) as Notice;
  const merged = mergeCleared(mergeCleared(older, newer), newest);
  assert.deepEqual(listsOf(merged), { a: [], b: [24], c: [] });
});

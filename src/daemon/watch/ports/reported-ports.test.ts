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
  const reported = new ReportedPorts();
  assert.deepEqual(listsOf(reported.next(lists({ a: [80, 443], b: [] }), false)), { a: [80, 443], b: [] });
});

test("nothing is reported when nothing has changed, unless everything is requested", () => {
  const reported = new ReportedPorts();
  reported.next(lists({ a: [80] }), false);
  assert.equal(reported.next(lists({ a: [80] }), false), undefined);
  assert.deepEqual(listsOf(reported.next(lists({ a: [80] }), true)), { a: [80] });
  assert.equal(new ReportedPorts().next(lists({}), true), undefined);
});

test("a change in one container is reported together with all others", () => {
  const reported = new ReportedPorts();
  reported.next(lists({ a: [80], b: [22] }), false);
  assert.deepEqual(listsOf(reported.next(lists({ a: [81], b: [22] }), false)), { a: [81], b: [22] });
  assert.deepEqual(listsOf(reported.next(lists({ a: [], b: [22] }), false)), { a: [], b: [22] });
});

test("a container that stopped gets one empty list, then no entry", () => {
  const reported = new ReportedPorts();
  reported.next(lists({ a: [80], b: [22] }), false);
  reported.stopped("a");
  assert.deepEqual(listsOf(reported.next(lists({ b: [22] }), false)), { a: [], b: [22] });
  assert.equal(reported.next(lists({ b: [22] }), false), undefined);
  assert.deepEqual(listsOf(reported.next(lists({ b: [22] }), true)), { b: [22] });
});

test("a container without ports is not reported when it stops", () => {
  const reported = new ReportedPorts();
  reported.next(lists({ a: [] }), false);
  reported.stopped("a");
  assert.equal(reported.next(lists({}), false), undefined);
});

test("a container that stopped while no daemon was there gets its empty list", () => {
  const reported = new ReportedPorts();
  reported.stopped("a");
  assert.deepEqual(listsOf(reported.next(lists({}), false)), { a: [] });
});

test("a container that was restarted in between is reported as it is", () => {
  const reported = new ReportedPorts();
  reported.next(lists({ a: [80] }), false);
  reported.stopped("a");
  assert.deepEqual(listsOf(reported.next(lists({ a: [81] }), false)), { a: [81] });
});

test("a notice that a newer one replaces still clears what only it cleared", () => {
  const reported = new ReportedPorts();
  reported.next(lists({ a: [80], b: [22] }), false);
  reported.stopped("a");
  const older = reported.next(lists({ b: [22] }), false) as Notice;
  const newer = reported.next(lists({ b: [23], c: [] }), false) as Notice;
  const newest = reported.next(lists({ b: [24], c: [] }), false) as Notice;
  const merged = mergeCleared(mergeCleared(older, newer), newest);
  assert.deepEqual(listsOf(merged), { a: [], b: [24], c: [] });
});

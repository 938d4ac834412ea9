import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, since } from "./since.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test("durations in seconds, minutes, hours, days and weeks", () => {
  assert.deepEqual(["90s", "30m", "1h", "2d", "1w"].map(duration), [90e3, 1.8e6, 3.6e6, 172.8e6, 604.8e6]);
});

test("a time is a duration before now, a date or a date with a time of day", () => {
  assert.equal(since("1h", NOW), NOW - 3.6e6);
  assert.equal(since("2026-11-30T10:00:00Z", NOW), NOW - 7.2e6);
  assert.equal(since("2026-11-30 11:30+01:00", NOW), NOW - 5.4e6);
  assert.equal(since("2026-11-30", NOW), new Date(2026, 10, 30).getTime());
});

test("anything else is an error that says the forms", () => {
  for (const text of [
    "",
    "1",
    "h",
    "1y",
    "-1h",
    "1.5h",
    "tomorrow",
    "2026-13-01",
    "2026-11-31x",
    "9999999d",
  ]) {
    assert.throws(() => since(text, NOW), { code: "invalid", message: /use / }, text);
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { hostMetrics } from "./host-metrics.ts";

describe("the metrics of a host", () => {
  test("count notices, commits and calls, and show its guests and forwards", async (t) => {
    using metrics = hostMetrics(
      { version: "1", elapsed: () => performance.now() },
      () => place.host.readings,
    );
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    assert.equal(await place.run("start penguin"), 0);
    assert.notEqual(await place.run("info nobody"), 0);
    const lines = (await metrics.registry.metrics()).split("\n");
    const value = (start: string) =>
      Number(
        lines
          .find((line) => line.startsWith(start))
          ?.split(" ")
          .at(-1),
      );
    assert.ok(value('tremplin_notices_taken_total{notice="updateStartStatus",result="taken"}') >= 1);
    assert.ok(value('tremplin_store_commit_duration_seconds_count{result="done"}') >= 1);
    assert.ok(value("tremplin_store_events_total") >= 1);
    assert.equal(value('tremplin_guest_up{guest="vm"}'), 1);
    assert.equal(value("tremplin_forwarded_connections"), 0);
    assert.ok(
      value(
        'tremplin_rpc_duration_seconds_count{rpc="vm_tools.tremplin.Tremplin/StartContainer",code="OK"}',
      ) >= 1,
    );
    await place.guest[Symbol.asyncDispose]();
    const later = await metrics.registry.metrics();
    assert.match(later, /tremplin_guest_up\{guest="vm"\} 0/);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { OperationBench } from "../../../test/support/operation-bench.ts";
import { daemonMetrics } from "./daemon-metrics.ts";

const options = { version: "1.2.3", elapsed: () => performance.now() };

describe("the metrics of a daemon", () => {
  test("count operations by kind and result, requests by route, and what the host answers, without any name", async () => {
    await using bench = await OperationBench.open();
    await bench.actions.create("secretname");
    using metrics = daemonMetrics(options, () => undefined);
    await bench.run("start", { containerName: "secretname", token: "secret" });
    await bench.run("delete", { containerName: "missing" });
    await bench.actions.set("secretname", { "security.protection.delete": "true" });
    await bench.run("delete", { containerName: "secretname" });
    const text = await eventually("the end of the last", async () => {
      const now = await metrics.registry.metrics();
      return /_duration_seconds_count\{kind="delete",result="failed"\}/.test(now) ? now : undefined;
    });
    const line = (start: string) => text.split("\n").find((each) => each.startsWith(start));
    assert.match(line('tremplin_operation_duration_seconds_count{kind="start",result="done"}') ?? "", / 1$/);
    assert.ok(line('tremplin_operation_duration_seconds_count{kind="delete",result="done"}'));
    assert.ok(
      line(
        'tremplin_engine_request_duration_seconds_count{method="GET",route="/1.0/instances/{name}",status="2xx"}',
      ),
    );
    assert.ok(line('tremplin_notices_answered_total{notice="updateStartStatus",answer="acknowledged"}'));
    assert.match(line("tremplin_build_info") ?? "", /part="daemon",version="1\.2\.3"/);
    assert.match(line("process_resident_memory_bytes") ?? "", / [1-9]\d+$/);
    assert.doesNotMatch(text, /secret/);
  });

  test("show what is under way as it is now, and nothing before the daemon has started", async () => {
    let operations: { kind: string; obstacle?: string }[] = [];
    let hasStarted = false;
    using metrics = daemonMetrics(options, () =>
      hasStarted
        ? { operations, waiting: 3, oldestMs: 1500, hostAnswers: false, engineRuns: true }
        : undefined,
    );
    const value = async (name: string) =>
      (await metrics.registry.metrics())
        .split("\n")
        .find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    assert.equal(await value("tremplin_notices_waiting"), "tremplin_notices_waiting 0");
    assert.equal(await value("tremplin_operations_running"), undefined);
    hasStarted = true;
    operations = [{ kind: "start" }, { kind: "start" }, { kind: "export", obstacle: "the disk is full" }];
    assert.equal(await value("tremplin_operations_running"), 'tremplin_operations_running{kind="start"} 2');
    assert.equal(await value("tremplin_operations_blocked"), "tremplin_operations_blocked 1");
    assert.equal(await value("tremplin_notices_waiting"), "tremplin_notices_waiting 3");
    assert.equal(
      await value("tremplin_notices_oldest_age_seconds"),
      "tremplin_notices_oldest_age_seconds 1.5",
    );
    assert.equal(await value("tremplin_host_answers"), "tremplin_host_answers 0");
    assert.equal(await value("tremplin_engine_running"), "tremplin_engine_running 1");
    operations = [];
    assert.equal(await value("tremplin_operations_running"), undefined);
  });

  test("count nothing more once they are closed", async () => {
    await using bench = await OperationBench.open();
    const metrics = daemonMetrics(options, () => undefined);
    metrics[Symbol.dispose]();
    await bench.run("delete", { containerName: "missing" });
    assert.doesNotMatch(await metrics.registry.metrics(), /operation_duration_seconds_count/);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { OperationBench } from "../../../test/support/operation-bench.ts";
import { follow, observed } from "../../base/observed.ts";
import { openTraces } from "./open-traces.ts";

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** A collector that keeps what it gets; the environment of this process names it until the test ends. */
async function collector(t: TestContext, answers = true) {
  const got: Sent[] = [];
  const server = createServer(async (request, response) => {
    assert.equal(request.url, "/v1/traces");
    got.push((await json(request)) as Sent);
    if (answers) response.setHeader("content-type", "application/json").end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.after(() => {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    server.closeAllConnections();
    server.close();
  });
  return {
    get spans(): OtlpSpan[] {
      return got.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      );
    },
    get services(): unknown[] {
      return got.flatMap(({ resourceSpans }) =>
        resourceSpans.map(({ resource }) => attribute(resource.attributes, "service.name")),
      );
    },
  };
}

function attribute(attributes: OtlpSpan["attributes"], name: string): unknown {
  return Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];
}

describe("traces", () => {
  test("lead from a command through the host to the guest", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    const seen = await collector(t);
    assert.equal(await place.run("start penguin"), 0);
    assert.ok(seen.services.every((name) => name === "tremplin"));
    const { spans } = seen;
    const [root, ...others] = spans.filter(({ name }) => name === "tremplin start");
    assert.ok(root && others.length === 0 && !root.parentSpanId);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const calls = spans.filter(({ name }) => name === "vm_tools.tremplin.Tremplin/StartContainer");
    // The client's and the host's side of one call, the host's and the guest's of the next.
    assert.equal(calls.length, 4);
    for (const call of calls) {
      assert.equal(call.traceId, root.traceId);
      assert.match(String(attribute(call.attributes, "tremplin.operation")), /^[0-9a-f-]{16,}$/);
    }
    const [last] = calls.filter(({ spanId }) => !calls.some(({ parentSpanId }) => parentSpanId === spanId));
    const path: string[] = [];
    for (let at = last; at; at = byId.get(at.parentSpanId ?? "")) path.push(at.name);
    const call = "vm_tools.tremplin.Tremplin/StartContainer";
    assert.deepEqual(path, [call, call, call, call, "tremplin start"]);
  });

  test("have the work of an operation and its requests to the engine, and what failed", async (t) => {
    const seen = await collector(t);
    await using bench = await OperationBench.open();
    await bench.actions.create("c1");
    await bench.actions.set("c1", { "security.protection.delete": "true" });
    const traces = await openTraces("tremplin-daemon", "1.2.3");
    const id = await follow(observed.command, { name: "test" }, () =>
      bench.begin("delete", { containerName: "c1" }),
    );
    await eventually("its end", async () => (bench.daemon.runner.locks.holder("c1") ? undefined : true));
    await bench.run("start", { containerName: "c1", token: "very-secret" });
    await bench.client.instances.list();
    await traces?.[Symbol.asyncDispose]();
    const { spans } = seen;
    const root = spans.find(({ name }) => name === "tremplin test");
    const failed = spans.find(({ name }) => name === "operation delete");
    assert.equal(failed?.parentSpanId, root?.spanId);
    assert.equal(failed?.status.code, 2);
    assert.deepEqual(
      ["tremplin.operation", "tremplin.container", "tremplin.result"].map((name) =>
        attribute(failed?.attributes ?? [], name),
      ),
      [id, "c1", "failed"],
    );
    const started = spans.find(({ name }) => name === "operation start");
    const within = spans.filter(({ parentSpanId }) => parentSpanId === started?.spanId);
    assert.ok(within.some(({ name }) => name === "PUT /1.0/instances/{name}/state"));
    // What nobody's operation or call has caused is no trace.
    assert.deepEqual(
      spans
        .filter(({ parentSpanId }) => !parentSpanId)
        .map(({ name }) => name)
        .sort(),
      ["operation start", "tremplin test"],
    );
    assert.doesNotMatch(JSON.stringify(spans), /very-secret/);
  });

  test("a collector that does not answer holds up nobody for long", async (t) => {
    const seen = await collector(t, false);
    const traces = await openTraces("tremplin", "1");
    await follow(observed.command, { name: "test" }, async () => undefined);
    await traces?.[Symbol.asyncDispose]();
    assert.equal(seen.spans.length, 1);
  });

  test("nothing is followed where no collector is named, or where they are off", async (t) => {
    assert.equal(await openTraces("tremplin", "1"), undefined);
    await collector(t);
    process.env.OTEL_SDK_DISABLED = "true";
    t.after(() => delete process.env.OTEL_SDK_DISABLED);
    assert.equal(await openTraces("tremplin", "1"), undefined);
    assert.equal(observed.rpc.hasSubscribers, false);
  });

  test("something else than a URL is refused with a sentence", async (t) => {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = "not a url";
    t.after(() => delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT);
    await assert.rejects(openTraces("tremplin", "1"), { code: "invalid", message: /http:\/\/HOST:4318/ });
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { hasCode, hostFixture } from "../../test/support/host-fixture.ts";
import { Guest, type ShellInput, ShellInputSchema } from "../contract/tremplin/v1/guest_pb.js";
import { Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../contract/tremplin_pb.js";

test("rpcs of each kind reach the guest in the metadata, and its errors reach the caller", async (t) => {
  const at = await hostFixture(t);
  await at.host("one", "two");
  const one = await at.guest("one");
  const two = await at.guest("two");
  two.containers.set("penguin", "running");
  const headers = { "tremplin-guest": "two" };
  const info = await at.api(Tremplin).getContainerInfo({ containerName: "penguin" }, { headers });
  assert.equal(info.status, 1);
  assert.equal((await at.api(Guest).getStatus({}, { headers })).daemonId, two.daemonId);
  assert.equal(
    (await at.api(Guest).getStatus({}, { headers: { "tremplin-guest": "one" } })).daemonId,
    one.daemonId,
  );

  const percents = [];
  for await (const { percent } of at.api(Guest).prepareImage({ debianRelease: "bookworm" }, { headers })) {
    percents.push(percent);
  }
  assert.deepEqual(percents, [10, 90, 100]);

  async function* typed(containerName: string): AsyncGenerator<ShellInput> {
    yield create(ShellInputSchema, { input: { case: "start", value: { containerName } } });
    yield create(ShellInputSchema, { input: { case: "data", value: Buffer.from("hello") } });
  }
  const outputs = [];
  for await (const { output } of at.api(Guest).shell(typed("penguin"), { headers })) {
    outputs.push(output.case === "data" ? Buffer.from(output.value).toString() : output.value);
  }
  assert.deepEqual(outputs, ["hello", 7]);
  await assert.rejects(
    Array.fromAsync(at.api(Guest).shell(typed("nobody"), { headers })),
    hasCode(Code.NotFound, /^no such container$/),
  );
  await assert.rejects(at.api(Guest).getStatus({}), hasCode(Code.InvalidArgument, /choose one of one, two/));
  await assert.rejects(
    at.api(Guest).getStatus({}, { headers: { "tremplin-guest": "three" } }),
    hasCode(Code.NotFound, /no guest three; the guests are one, two/),
  );
});

test("the error for an unreachable guest has its address, and a later call reaches it", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const sentence = /cannot reach guest vm at unix:.*vm\.sock/;
  await assert.rejects(at.api(Guest).getStatus({}), hasCode(Code.Unavailable, sentence));
  await assert.rejects(Array.fromAsync(at.api(Guest).prepareImage({})), hasCode(Code.Unavailable, sentence));
  const { guests } = await at.api(Host).listGuests({});
  assert.match(guests[0]?.failureReason ?? "", sentence);
  const guest = await at.guest("vm");
  assert.equal((await at.api(Guest).getStatus({})).daemonId, guest.daemonId);
});

test("deadlines and cancellation reach the guest", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const seen: string[] = [];
  const reached = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const { serve } = await import("../transport/server.ts");
  await using _guest = await serve({
    addresses: [{ kind: "unix", path: join(at.folder, "vm.sock") }],
    routes: (router) =>
      router.service(Tremplin, {
        async getDebugInfo(_request, { signal, timeoutMs }) {
          const left = timeoutMs() ?? 0.5;
          seen.push(`deadline ${left > 0 && left <= 5000 && Number.isInteger(left)}`);
          reached.resolve();
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          seen.push("ended");
          ended.resolve();
          return {};
        },
      }),
  });
  const stop = new AbortController();
  const call = at.api(Tremplin).getDebugInfo({}, { signal: stop.signal, timeoutMs: 5000 });
  await reached.promise;
  stop.abort();
  await assert.rejects(call);
  await ended.promise;
  assert.deepEqual(seen, ["deadline true", "ended"]);
  await assert.rejects(
    at.api(Tremplin).getDebugInfo({}, { timeoutMs: 50 }),
    hasCode(Code.DeadlineExceeded, /./),
  );
});

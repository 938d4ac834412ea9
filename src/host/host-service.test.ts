import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { eventText, hasCode, hostFixture } from "../../test/support/host-fixture.ts";
import { Health } from "../contract/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../contract/grpc/reflection/v1/reflection_pb.js";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { type Event, Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../contract/tremplin_pb.js";

test("a watch begins with the state of the log, then has its events, then new ones", async (t) => {
  const at = await hostFixture(t);
  await at.host("one", "two");
  const one = await at.guest("one");
  const two = await at.guest("two");
  await one.notify("containerShutdown", { containerName: "a" });
  await two.notify("containerShutdown", { containerName: "b" });
  const stop = new AbortController();
  const all = at.api(Host).watch({ after: 0n }, { signal: stop.signal })[Symbol.asyncIterator]();
  const fresh = at.api(Host).watch({ guest: "two" }, { signal: stop.signal })[Symbol.asyncIterator]();
  for (const watch of [all, fresh]) {
    const { notice, sequence } = (await watch.next()).value as Event;
    assert.equal(sequence, 0n);
    assert.deepEqual(notice.case === "begun" && [notice.value.oldest, notice.value.newest], [1n, 2n]);
  }
  await one.notify("containerShutdown", { containerName: "c" });
  await two.notify("containerShutdown", { containerName: "d" });
  const next = async (watch: typeof all) => {
    const event = (await watch.next()).value as Event;
    return `${event.sequence} ${eventText(event)}`;
  };
  assert.deepEqual(
    [await next(all), await next(all), await next(all), await next(all)],
    ["1 one shutdown a", "2 two shutdown b", "3 one shutdown c", "4 two shutdown d"],
  );
  assert.equal(await next(fresh), "4 two shutdown d");
  stop.abort();
  await assert.rejects(
    Array.fromAsync(at.api(Host).watch({ guest: "three" })),
    hasCode(Code.NotFound, /no guest three/),
  );
});

test("a slow watcher delays nobody and misses nothing", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  const watch = at.api(Host).watch({})[Symbol.asyncIterator]();
  await watch.next();
  const failureReason = "x".repeat(100_000);
  for (let status = 0; status < 40; status++) {
    await guest.notify("updateStopStatus", { containerName: `c${status}`, failureReason });
  }
  for (let status = 0; status < 40; status++) {
    const { notice } = (await watch.next()).value as Event;
    assert.equal(notice.case === "stop" && notice.value.containerName, `c${status}`);
  }
  await watch.return?.();
});

test("health and reflection know every service of people and programs, and not that of guests", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const services = [Host, Tremplin, Guest].map(({ typeName }) => typeName);
  for (const service of services) assert.equal((await at.api(Health).check({ service })).status, 1);
  const ask = (async function* () {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
  })();
  for await (const { messageResponse } of at.api(ServerReflection).serverReflectionInfo(ask)) {
    assert.ok(messageResponse.case === "listServicesResponse");
    const listed = messageResponse.value.service.map(({ name }) => name);
    assert.deepEqual(listed.toSorted(), services.toSorted());
  }
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { MemoryGuest } from "../../test/support/memory-guest.ts";
import { systemClock } from "../base/async/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { Health } from "../contract/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../contract/grpc/reflection/v1/reflection_pb.js";
import { Guest, type ShellInput, ShellInputSchema } from "../contract/tremplin/v1/guest_pb.js";
import { type Event, Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin, TremplinListener } from "../contract/tremplin_pb.js";
import type { Address } from "../transport/address.ts";
import { dial } from "../transport/client.ts";
import type { RpcServer } from "../transport/server.ts";
import { serveHost } from "./serve-host.ts";

interface Place {
  readonly folder: string;
  readonly hostAddress: Address;
  readonly api: <S extends Parameters<typeof createClient>[0]>(
    service: S,
  ) => ReturnType<typeof createClient<S>>;
  guest(name: string, unchanged?: boolean): Promise<MemoryGuest>;
  /** Serves the host with guests of these names; the guests themselves are opened one by one. */
  host(...guests: string[]): Promise<RpcServer>;
}

async function place(t: TestContext): Promise<Place> {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const folder = await mkdtemp(join(tmpdir(), "host-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const socket = (name: string): Address => ({ kind: "unix", path: join(folder, `${name}.sock`) });
  const hostAddress = socket("host");
  const connection = stack.use(dial(hostAddress));
  return {
    folder,
    hostAddress,
    api: (service) => createClient(service, connection.transport),
    guest: async (name, unchanged = false) =>
      stack.use(await MemoryGuest.open({ address: socket(name), host: hostAddress, unchanged })),
    host: async (...names) => {
      const guests = names.map((name) => ({ name, address: socket(name) }));
      const options = { listen: [hostAddress], guests, state: join(folder, "state"), logLevel: "silent" };
      return stack.use(await serveHost(options, systemClock, silentLogger));
    },
  };
}

function text({ guest, notice }: Event): string {
  const { containerName = "", status = "" } = (notice.value ?? {}) as {
    containerName?: string;
    status?: number;
  };
  return [guest, notice.case, containerName, status].filter((word) => word !== "").join(" ");
}

async function logOf({ api }: Place): Promise<string[]> {
  const events = [];
  for await (const event of api(Host).watch({ after: 0n, onlyLog: true })) events.push(text(event));
  return events.slice(1);
}

function code(expected: Code, message: RegExp) {
  return (error: unknown) => {
    const { code, rawMessage } = ConnectError.from(error);
    assert.equal(Code[code], Code[expected]);
    assert.match(rawMessage, message);
    return true;
  };
}

test("a notice of each kind is recorded under the name of its guest", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  await guest.tell("tremplinReady", {});
  await guest.tell("updateStartLxdStatus", { status: 3 });
  for (const method of [
    "updateCreateStatus",
    "updateDeletionStatus",
    "updateStartStatus",
    "updateStopStatus",
    "updateExportStatus",
    "updateImportStatus",
    "containerShutdown",
    "upgradeContainerStatus",
  ] as const) {
    await guest.tell(method, { containerName: "penguin" });
  }
  await guest.tell("updateListeningPorts", { containerPorts: { penguin: { listeningTcp4Ports: [80] } } });
  assert.deepEqual(await logOf(at), [
    "vm ready",
    "vm startLxd 3",
    ...["create", "delete", "start", "stop", "export", "import"].map((kind) => `vm ${kind} penguin 0`),
    "vm shutdown penguin",
    "vm upgrade penguin 0",
    "vm ports",
  ]);
});

test("what the contract forbids is refused as it says", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const { metadata: headers } = await at.guest("vm");
  const listener = at.api(TremplinListener);
  for (const method of [
    "updateCreateStatus",
    "updateDeletionStatus",
    "updateStartStatus",
    "updateStopStatus",
  ] as const) {
    await assert.rejects(
      listener[method]({}, { headers }),
      code(Code.FailedPrecondition, /no container_name/),
    );
  }
  await assert.rejects(
    listener.containerShutdown({}, { headers }),
    code(Code.InvalidArgument, /no container_name/),
  );
  const strange = { containerName: "penguin", status: Number(77) };
  for (const method of [
    "updateStartLxdStatus",
    "updateExportStatus",
    "updateImportStatus",
    "upgradeContainerStatus",
  ] as const) {
    await assert.rejects(
      listener[method](strange as never, { headers }),
      code(Code.FailedPrecondition, /unknown status 77/),
    );
  }
  assert.deepEqual(await logOf(at), []);
  await listener.updateCreateStatus(strange, { headers });
  assert.deepEqual(await logOf(at), ["vm create penguin 0"]);
});

test("a notice that is sent again counts once, also across a restart of the host", async (t) => {
  const at = await place(t);
  const first = await at.host("vm");
  const guest = await at.guest("vm");
  const headers = { ...guest.metadata, "tremplin-notice": "one" };
  const send = () => at.api(TremplinListener).containerShutdown({ containerName: "penguin" }, { headers });
  await Promise.all([send(), send()]);
  await first[Symbol.asyncDispose]();
  await at.host("vm");
  await send();
  assert.deepEqual(await logOf(at), ["vm shutdown penguin"]);
});

test("several guests are told apart by their daemons", async (t) => {
  const at = await place(t);
  await at.host("one", "two");
  const one = await at.guest("one");
  const listener = at.api(TremplinListener);
  const ready = (headers: Record<string, string>) => listener.tremplinReady({}, { headers });
  await ready(one.metadata);
  await assert.rejects(
    ready({ "tremplin-daemon": "stranger" }),
    code(Code.Unavailable, /while a guest is away: .*two/),
  );
  const two = await at.guest("two");
  await ready(two.metadata);
  await assert.rejects(
    ready({ "tremplin-daemon": "stranger" }),
    code(Code.FailedPrecondition, /no guest has the daemon/),
  );
  await assert.rejects(ready({}), code(Code.FailedPrecondition, /several guests/));
  assert.deepEqual(await logOf(at), ["one ready", "two ready"]);
});

test("an unchanged guest needs no daemon id when it is alone", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const guest = await at.guest("vm", true);
  await guest.tell("containerShutdown", { containerName: "penguin" });
  assert.deepEqual(await logOf(at), ["vm shutdown penguin"]);
  const { guests } = await at.api(Host).listGuests({});
  assert.equal(guests[0]?.reachable, true);
});

test("rpcs of each kind reach the guest that the metadata names, and its errors come back", async (t) => {
  const at = await place(t);
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
    code(Code.NotFound, /^no such container$/),
  );
  await assert.rejects(at.api(Guest).getStatus({}), code(Code.InvalidArgument, /say which guest.*one, two/));
  await assert.rejects(
    at.api(Guest).getStatus({}, { headers: { "tremplin-guest": "three" } }),
    code(Code.NotFound, /no guest three.*one, two/),
  );
});

test("the id of an operation reaches the caller, from him the guest, and the event log keeps it", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  guest.containers.set("penguin", "stopped");
  const headers = new Headers();
  const onHeader = (answered: Headers) => answered.forEach((value, name) => void headers.set(name, value));
  await at.api(Tremplin).startContainer({ containerName: "penguin" }, { onHeader });
  const id = guest.operations[0]?.id ?? "";
  assert.equal(headers.get("tremplin-operation"), id);
  const cancel = (operation: string) =>
    at
      .api(Tremplin)
      .cancelExportContainer(
        { inProgressContainerName: "penguin" },
        { headers: { "tremplin-operation": operation } },
      );
  assert.equal((await cancel("another")).status, 2);
  assert.equal((await cancel(id)).status, 1);

  const listener = at.api(TremplinListener);
  const say = (operation: string | undefined) =>
    listener.containerShutdown(
      { containerName: "one" },
      { headers: { ...guest.metadata, ...(operation && { "tremplin-operation": operation }) } },
    );
  for (const operation of ["00112233445566aa", undefined, "with blanks in it", "x".repeat(65)])
    await say(operation);
  const events = await Array.fromAsync(at.api(Host).watch({ after: 0n, onlyLog: true }));
  assert.deepEqual(
    events.filter(({ notice }) => notice.case === "shutdown").map(({ operation }) => operation),
    ["00112233445566aa", "", "", ""],
  );
  assert.ok(
    events.filter(({ notice }) => notice.case === "start").every(({ operation }) => operation === id),
  );
});

test("a guest that is away is named with its address, and answers once it is back", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const sentence = /cannot reach guest vm at unix:.*vm\.sock/;
  await assert.rejects(at.api(Guest).getStatus({}), code(Code.Unavailable, sentence));
  await assert.rejects(Array.fromAsync(at.api(Guest).prepareImage({})), code(Code.Unavailable, sentence));
  const { guests } = await at.api(Host).listGuests({});
  assert.match(guests[0]?.failureReason ?? "", sentence);
  const guest = await at.guest("vm");
  assert.equal((await at.api(Guest).getStatus({})).daemonId, guest.daemonId);
});

test("deadlines and cancellation reach the guest", async (t) => {
  const at = await place(t);
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
          seen.push(`deadline ${(timeoutMs() ?? 0) > 0 && (timeoutMs() ?? 0) <= 5000}`);
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
    code(Code.DeadlineExceeded, /./),
  );
});

test("a watch begins with where the log stands, tells it, and then what happens", async (t) => {
  const at = await place(t);
  await at.host("one", "two");
  const one = await at.guest("one");
  const two = await at.guest("two");
  await one.tell("containerShutdown", { containerName: "a" });
  await two.tell("containerShutdown", { containerName: "b" });
  const stop = new AbortController();
  const all = at.api(Host).watch({ after: 0n }, { signal: stop.signal })[Symbol.asyncIterator]();
  const fresh = at.api(Host).watch({ guest: "two" }, { signal: stop.signal })[Symbol.asyncIterator]();
  for (const watch of [all, fresh]) {
    const { notice, sequence } = (await watch.next()).value as Event;
    assert.equal(sequence, 0n);
    assert.deepEqual(notice.case === "begun" && [notice.value.oldest, notice.value.newest], [1n, 2n]);
  }
  await one.tell("containerShutdown", { containerName: "c" });
  await two.tell("containerShutdown", { containerName: "d" });
  const next = async (watch: typeof all) => {
    const event = (await watch.next()).value as Event;
    return `${event.sequence} ${text(event)}`;
  };
  assert.deepEqual(
    [await next(all), await next(all), await next(all), await next(all)],
    ["1 one shutdown a", "2 two shutdown b", "3 one shutdown c", "4 two shutdown d"],
  );
  assert.equal(await next(fresh), "4 two shutdown d");
  stop.abort();
  await assert.rejects(
    Array.fromAsync(at.api(Host).watch({ guest: "three" })),
    code(Code.NotFound, /no guest three/),
  );
});

test("a watcher that does not read holds nothing up and misses nothing", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  const watch = at.api(Host).watch({})[Symbol.asyncIterator]();
  await watch.next();
  const failureReason = "x".repeat(100_000);
  for (let status = 0; status < 40; status++) {
    await guest.tell("updateStopStatus", { containerName: `c${status}`, failureReason });
  }
  for (let status = 0; status < 40; status++) {
    const { notice } = (await watch.next()).value as Event;
    assert.equal(notice.case === "stop" && notice.value.containerName, `c${status}`);
  }
  await watch.return?.();
});

test("health and reflection know every service", async (t) => {
  const at = await place(t);
  await at.host("vm");
  const services = [Host, Tremplin, TremplinListener, Guest].map(({ typeName }) => typeName);
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

import assert from "node:assert/strict";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, afterEach, before, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { loggerTo } from "../../src/base/logger.ts";
import { bytesText } from "../../src/base/text.ts";
import { run } from "../../src/cli/program.ts";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
import { formatAddress } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { RecordedIo } from "../support/command-line.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { type HeldCompressor, heldCompressor } from "../support/held-compressor.ts";
import { type HostOf, hostOf } from "../support/host-of.ts";
import { inContainer } from "../support/in-container.ts";
import type { NoticeKind } from "../support/listener.ts";
import { createTiny, launchedDaemon, startContainer, tinyRequest } from "../support/tiny-container.ts";

const ID = /^[0-9a-f]{16}$/;

let daemon: TestDaemon;
let packer: HeldCompressor;
let host: HostOf;
const hostLog: LogLine[] = [];

interface LogLine {
  readonly msg: string;
  readonly operation?: string;
  readonly kind?: string;
  readonly container?: string;
  readonly rpc?: string;
  readonly engineOperation?: string;
  readonly result?: string;
  readonly metrics?: string;
}

before(async () => {
  packer = await heldCompressor();
  daemon = await launchedDaemon({
    args: ["--metrics", "tcp:127.0.0.1:0"],
    env: { PATH: packer.path },
  });
  host = await hostOf(daemon, { log: loggerTo({ write: (line) => void hostLog.push(JSON.parse(line)) }) });
  daemon.listener.answering = (notice) => host.forward(notice);
  await createTiny(daemon, "web");
});
after(async () => {
  await host?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
  await packer?.[Symbol.asyncDispose]();
});
afterEach(() => packer.release());

/** The operation that each notice of a kind about a container names, without repetitions. */
function operationsOf(kind: NoticeKind, container: string): (string | null)[] {
  const notices = daemon.listener.notices.filter(
    (each) => each.kind === kind && each.container === container,
  );
  return [...new Set(notices.map(({ headers }) => headers.get("tremplin-operation")))];
}

test("over gRPC each response that accepts an operation carries its id, and so does each of its notices, but no other notice", async () => {
  const client = createClient(Tremplin, daemon.connection.transport);
  let id: string | null = null;
  const onHeader = (headers: Headers): void => {
    id = headers.get("tremplin-operation");
  };
  const about = { containerName: "calls" };
  const calls: [NoticeKind, () => Promise<unknown>][] = [
    ["create", () => client.createContainer(tinyRequest(daemon, "calls"), { onHeader })],
    ["start", () => client.startContainer(about, { onHeader })],
    ["export", () => client.exportContainer({ ...about, exportPath: "calls.tar.gz" }, { onHeader })],
    ["stop", () => client.stopContainer(about, { onHeader })],
    ["import", () => client.importContainer({ ...about, importPath: "calls.tar.gz" }, { onHeader })],
    ["delete", () => client.deleteContainer(about, { onHeader })],
  ];
  for (const [kind, call] of calls) {
    id = null;
    await call();
    assert.match(id ?? "none", ID, kind);
    await daemon.listener.final(kind, "calls");
    assert.deepEqual(operationsOf(kind, "calls"), [id], kind);
  }
  const down = await daemon.listener.when(
    ({ kind, container }) => kind === "shutdown" && container === "calls",
    "the shutdown",
  );
  assert.equal(down.headers.get("tremplin-operation"), null);
  // What is not accepted has no operation.
  id = null;
  await client.stopContainer({ containerName: "web" }, { onHeader });
  await client.deleteContainer({ containerName: "missing" }, { onHeader });
  assert.equal(id, null);
});

/** One call with a JSON body over HTTP/1.1, as the Connect protocol and curl do it. */
async function callJson(socketPath: string, rpc: string, body: object): Promise<IncomingMessage> {
  const call = request({
    socketPath,
    path: `/vm_tools.tremplin.Tremplin/${rpc}`,
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  call.end(JSON.stringify(body));
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  await text(answer);
  return answer;
}

test("so do JSON responses and those through the host, whose event log keeps the id", async () => {
  const direct = await callJson(join(daemon.folder, "guest.sock"), "StartContainer", {
    containerName: "web",
  });
  assert.equal(direct.statusCode, 200);
  await daemon.listener.final("start", "web");
  const path = host.address.kind === "unix" ? host.address.path : "";
  const passed = await callJson(path, "StopContainer", { containerName: "web" });
  await daemon.listener.final("stop", "web");
  using connection = dial(host.address);
  let throughGrpc: string | null = null;
  await createClient(Tremplin, connection.transport).startContainer(
    { containerName: "web" },
    {
      onHeader: (headers) => {
        throughGrpc = headers.get("tremplin-operation");
      },
    },
  );
  await daemon.listener.final("start", "web");
  const ids = [direct, passed].map(({ headers }) => headers["tremplin-operation"]);
  for (const id of [...ids, throughGrpc]) assert.match(String(id), ID);
  const events = await Array.fromAsync(
    createClient(Host, connection.transport).watch({ after: 0n, onlyLog: true }),
  );
  const finals = events.flatMap(({ notice, operation }) =>
    (notice.case === "start" && notice.value.status === 1) ||
    (notice.case === "stop" && notice.value.status === 1)
      ? notice.value.containerName === "web"
        ? [operation]
        : []
      : [],
  );
  assert.deepEqual(finals, [...ids, throughGrpc]);
});

test("tremplin export waits for its own operation, although the final notice of an earlier one comes later", async () => {
  await startContainer(daemon, "web").catch(() => undefined);
  const gate = Promise.withResolvers<void>();
  const forwarded = Promise.withResolvers<void>();
  let earlier: string | null = null;
  daemon.listener.answering = async (notice) => {
    const operation = notice.headers.get("tremplin-operation");
    if (notice.final && notice.kind === "export" && operation === earlier) {
      await gate.promise;
      await host.forward(notice);
      forwarded.resolve();
    } else await host.forward(notice);
  };
  const onHeader = (headers: Headers): void => {
    earlier = headers.get("tremplin-operation");
  };
  await daemon.tremplin.exportContainer({ containerName: "web", exportPath: "first.tar.gz" }, { onHeader });
  await eventually("the end of the first", async () =>
    (await daemon.guest.getStatus({})).operations.length === 0 ? true : undefined,
  );
  const size = async (path: string) => (await stat(join(daemon.shared, path))).size;
  const first = await size("first.tar.gz");
  await inContainer(daemon, "web", "sh", "-c", "head -c 5000000 /dev/urandom > /root/more");

  await packer.hold();
  const io = new RecordedIo();
  const running = run(
    ["export", "web", "second.tar.gz", "--shared", "--host", formatAddress(host.address)],
    io,
  );
  await packer.held();
  gate.resolve();
  await forwarded.promise;
  await packer.release();
  assert.equal(await running, 0, io.stderr);
  const second = await size("second.tar.gz");
  assert.ok(second > first + 4_000_000);
  const path = join(daemon.shared, "second.tar.gz");
  assert.equal(
    io.stdout,
    `web: exported, ${bytesText(second)}, to ${path} in the shared folder of the guest\n`,
  );
  daemon.listener.answering = (notice) => host.forward(notice);
});

test("a request to cancel that names another operation cancels nothing", async () => {
  await packer.hold();
  let id = "";
  const onHeader = (headers: Headers): void => {
    id = headers.get("tremplin-operation") ?? "";
  };
  await daemon.tremplin.exportContainer({ containerName: "web", exportPath: "third.tar.gz" }, { onHeader });
  await packer.held();
  using connection = dial(host.address);
  const client = createClient(Tremplin, connection.transport);
  const cancel = async (operation: string) => {
    const headers = { "tremplin-operation": operation };
    const cancelled = await client.cancelExportContainer({ inProgressContainerName: "web" }, { headers });
    return cancelled.status;
  };
  assert.equal(await cancel("0011223344556677"), 2);
  const { operations } = await daemon.guest.getStatus({});
  assert.deepEqual(
    operations.map(({ id: each }) => each),
    [id],
  );
  assert.equal(await cancel(id), 1);
  await daemon.listener.when(
    ({ final, headers }) => final && headers.get("tremplin-operation") === id,
    "the end of the cancelled export",
  );
});

async function daemonLog(): Promise<LogLine[]> {
  return (await daemon.log()).split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
}

test("one id leads through the logs of host and daemon to the operations of the engine", async () => {
  await daemon.tremplin.stopContainer({ containerName: "web" });
  await daemon.listener.final("stop", "web");
  using connection = dial(host.address);
  let id: string | null = null;
  const onHeader = (headers: Headers): void => {
    id = headers.get("tremplin-operation");
  };
  await createClient(Tremplin, connection.transport).startContainer({ containerName: "web" }, { onHeader });
  const ofId = (lines: readonly LogLine[]) => lines.filter(({ operation }) => operation === id);
  const [accepted, ended] = await eventually("the end in the log of the host", async () =>
    ofId(hostLog).length > 1 ? ofId(hostLog) : undefined,
  );
  assert.deepEqual(
    [accepted?.msg, accepted?.rpc, accepted?.container],
    ["an operation was accepted", "StartContainer", "web"],
  );
  assert.deepEqual([ended?.msg, ended?.result], ["an operation has ended", "done"]);
  const lines = await eventually("the end in the log of the daemon", async () => {
    const all = ofId(await daemonLog());
    return all.some(({ msg }) => msg === "the operation has ended") ? all : undefined;
  });
  const messages = lines.map(({ msg }) => msg);
  assert.ok(messages.includes("an operation was accepted"));
  assert.ok(messages.indexOf("the operation begins") < messages.indexOf("the operation has ended"));
  const engineOperation = lines.find((line) => line.engineOperation !== undefined)?.engineOperation;
  assert.match(String(engineOperation), /^[0-9a-f-]{36}$/);
});

test("lines of the watchers, which a start of the engine began, have no id of it", async () => {
  const lines = await daemonLog();
  const ends = lines.findIndex(({ msg, kind }) => msg === "the operation has ended" && kind === "start-lxd");
  assert.ok(ends > 0);
  const launch = lines[ends]?.operation;
  assert.ok(launch);
  const later = lines.slice(ends + 1).filter(({ operation }) => operation === launch);
  assert.deepEqual(
    later.map(({ msg }) => msg),
    [],
  );
});

test("the metrics of the daemon count its operations and its requests to the engine", async () => {
  const address = (await daemonLog()).find((line) => line.metrics)?.metrics ?? "";
  const text = await (await fetch(`http://${address.replace(/^tcp:/, "")}/metrics`)).text();
  assert.match(text, /^tremplin_operation_duration_seconds_count\{kind="start",result="done"\} [1-9]/m);
  assert.match(
    text,
    /^tremplin_engine_request_duration_seconds_count\{method="PUT",route="\/1.0\/instances\/\{name\}\/state",status="2xx"\} [1-9]/m,
  );
  assert.match(text, /^tremplin_watcher_round_duration_seconds_count\{watcher="ports"\} [1-9]/m);
  assert.match(text, /^tremplin_engine_running 1$/m);
  assert.doesNotMatch(text, /\bweb\b/);
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { serveCustomHttp2 } from "../../../test/support/custom-http2-server.ts";
import { RecordingListener } from "../../../test/support/listener.ts";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { dial } from "../../transport/client.ts";
import { deliverTo } from "./delivery.ts";
import { notice } from "./notice.ts";
import { NoticeQueue } from "./notice-queue.ts";

const stopped = notice("updateStopStatus", { containerName: "c1", status: 1 });
const never = new AbortController().signal;

async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "delivery-"));
  const path = join(folder, "host.sock");
  const connection = dial({ kind: "unix", path });
  t.after(async () => {
    connection[Symbol.dispose]();
    await rm(folder, { recursive: true });
  });
  return { path, deliver: deliverTo(connection, "daemon") };
}

const withHttp = (status: number, headers: object) => (stream: ServerHttp2Stream) => {
  stream.respond({ ":status": status, ...headers });
  stream.end("<html>not here</html>");
};

const unreachable: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  "a proxy's page for 404": withHttp(404, { "content-type": "text/html" }),
  "404 without a type": withHttp(404, {}),
  "404 with a grpc-status, as no gRPC peer answers": withHttp(404, {
    "content-type": "text/html",
    "grpc-status": "12",
  }),
  "401": withHttp(401, { "content-type": "text/plain" }),
  "403": withHttp(403, {}),
  "400": withHttp(400, {}),
  "502": withHttp(502, { "content-type": "text/html" }),
  "200 with a page": withHttp(200, { "content-type": "text/html" }),
  "200 of a page that speaks of grpc": withHttp(200, { "content-type": "text/html", "grpc-status": "5" }),
  "gRPC without an end": (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.end();
  },
  "gRPC that is well and says nothing": (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "0" },
      { endStream: true },
    );
  },
  "a reset": (stream) => stream.close(8),
  "a connection that breaks": (stream) => stream.session?.destroy(),
  "UNAVAILABLE of a gRPC peer": (stream) => {
    const headers = { ":status": 200, "content-type": "application/grpc", "grpc-status": "14" };
    stream.respond(headers, { endStream: true });
  },
};

for (const [what, answer] of Object.entries(unreachable)) {
  test(`unreachable, so retried: ${what}`, async (t) => {
    const { path, deliver } = await place(t);
    await using _server = await serveCustomHttp2(path, answer);
    assert.equal((await deliver(stopped, "1", never)).kind, "unreachable");
  });
}

for (const code of [Code.Unimplemented, Code.InvalidArgument, Code.PermissionDenied, Code.NotFound]) {
  test(`rejected: the grpc-status ${Code[code]}, whether it comes first or last`, async (t) => {
    const { path, deliver } = await place(t);
    {
      await using listener = await RecordingListener.open(path);
      listener.answering = () => {
        throw new ConnectError("not this one", code);
      };
      const { kind, reason } = { reason: "", ...(await deliver(stopped, "1", never)) };
      assert.equal(kind, "rejected");
      assert.match(reason, /not this one/);
    }
    await using _server = await serveCustomHttp2(path, (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
      stream.on("wantTrailers", () =>
        stream.sendTrailers({ "grpc-status": String(code), "grpc-message": "no" }),
      );
      stream.end();
    });
    // The first connection has broken: that may take one call to be seen.
    await deliver(stopped, "1", never);
    assert.equal((await deliver(stopped, "1", never)).kind, "rejected");
  });
}

for (const [code, kind] of [
  [Code.Unavailable, "unreachable"],
  [Code.DeadlineExceeded, "unreachable"],
  [Code.Canceled, "unreachable"],
  [Code.FailedPrecondition, "unclear"],
  [Code.Internal, "unclear"],
  [Code.Unknown, "unclear"],
  [Code.Aborted, "unclear"],
  [Code.ResourceExhausted, "unclear"],
  [Code.DataLoss, "unclear"],
] as const) {
  test(`${kind}: the grpc-status ${Code[code]}`, async (t) => {
    const { path, deliver } = await place(t);
    await using listener = await RecordingListener.open(path);
    listener.answering = () => {
      throw new ConnectError("not now, or never", code);
    };
    assert.equal((await deliver(stopped, "1", never)).kind, kind);
  });
}

test("a final notice waits through a moment of HTTP 404 at the host's address and arrives once, with its operation", async (t) => {
  const { path, deliver } = await place(t);
  const asked = Promise.withResolvers<void>();
  const page = withHttp(404, { "content-type": "text/html" });
  const proxy = await serveCustomHttp2(path, (stream) => {
    page(stream);
    asked.resolve();
  });
  await using queue = new NoticeQueue({ deliver, clock: systemClock, log: silentLogger });
  const isAnswered = Promise.withResolvers<void>();
  const ready = { id: "ready", orderingKey: "", notice: notice("tremplinReady", {}), final: true };
  void queue.open(ready).catch(() => undefined);
  queue.send({
    id: "1-end",
    orderingKey: "c1",
    notice: stopped,
    operation: "00112233445566aa",
    final: true,
    onAnswered: async () => isAnswered.resolve(),
  });
  await asked.promise;
  await proxy[Symbol.asyncDispose]();
  await using listener = await RecordingListener.open(path);
  await isAnswered.promise;
  assert.deepEqual(
    listener.notices.map(({ kind, headers }) => [kind, headers.get("tremplin-operation")]),
    [
      ["ready", null],
      ["stop", "00112233445566aa"],
    ],
  );
});

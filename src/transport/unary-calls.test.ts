import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import * as http2 from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { untilAborted } from "../base/async/until-aborted.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { ListeningPortInfoSchema, type StopContainerRequest, Tremplin } from "../contract/tremplin_pb.js";
import type { UnixAddress } from "./address.ts";
import { dial } from "./client.ts";
import { serve } from "./server.ts";

const PATH = "/vm_tools.tremplin.Tremplin/StopContainer";

type Handler = (request: StopContainerRequest, context: HandlerContext) => object | Promise<object>;

/** Answers StopContainer. */
async function serveStop(t: TestContext, stopContainer: Handler, failures: string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), "unary-"));
  const address: UnixAddress = { kind: "unix", path: join(folder, "t.sock") };
  const server = await serve({
    addresses: [address],
    routes: (router) => void router.service(Tremplin, { stopContainer }),
    onFailure: (_path, _caller, reason) => void failures.push(reason),
  });
  const session = http2.connect("http://localhost", { createConnection: () => connect(address.path) });
  const connection = dial(address);
  t.after(async () => {
    session.destroy();
    connection[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return { session, client: createClient(Tremplin, connection.transport) };
}

/** All that a caller sees, but for dates. */
async function answerTo(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body: Buffer) {
  const stream = session.request({ ":method": "POST", ":path": PATH, te: "trailers", ...headers });
  let [header, trailer]: object[] = [{}, {}];
  stream.once("response", ({ date: _, ...rest }) => {
    header = rest;
  });
  stream.once("trailers", (rest) => {
    trailer = rest;
  });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk) => chunks.push(chunk)).end(body);
  await once(stream, "close");
  return { header: { ...header }, trailer: { ...trailer }, body: Buffer.concat(chunks) };
}

function enveloped(message: Buffer, flags = 0, length = message.length): Buffer {
  const prefix = Buffer.from([flags, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** container_name = "a". */
const message = Buffer.from([0x0a, 0x01, 0x61]);

const bodies: Readonly<Record<string, Buffer>> = {
  good: enveloped(message),
  empty: enveloped(Buffer.alloc(0)),
  "without a message": Buffer.alloc(0),
  "with two messages": Buffer.concat([enveloped(message), enveloped(message)]),
  "cut off": enveloped(message, 0, 10),
  "cut off in its prefix": Buffer.from([0, 0]),
  "not a message": enveloped(Buffer.from([0xff, 0xff, 0xff])),
  "marked as compressed": enveloped(message, 1),
};

const handlers: Readonly<Record<string, Handler>> = {
  answers: (_request, { responseHeader, responseTrailer }) => {
    responseHeader.set("tremplin-operation", "0123");
    responseTrailer.set("more", "and more");
    return { status: 1, failureReason: "é" };
  },
  "answers later": async () => ({ failureReason: "x".repeat(5_000) }),
  "fails for a person": () => {
    throw new TremplinError("not-found", "there is no container größer");
  },
  "fails with a code": () => {
    throw new ConnectError("not now", Code.Unavailable, { "retry-after": "1" }, [
      { desc: ListeningPortInfoSchema, value: {} },
    ]);
  },
  "has a bug": () => {
    throw new TypeError("a bug");
  },
};

for (const [what, handler] of Object.entries(handlers)) {
  test(`a plain call is answered as the library answers, by a handler that ${what}`, async (t) => {
    const { session } = await serveStop(t, handler);
    for (const timeout of [undefined, "10S", "100000000H", "soon"]) {
      for (const [name, body] of Object.entries(bodies)) {
        const headers = timeout === undefined ? {} : { "grpc-timeout": timeout };
        const plain = await answerTo(session, { ...headers, "content-type": "application/grpc" }, body);
        // Only the library knows that capital letters are the same.
        const whole = await answerTo(session, { ...headers, "content-type": "application/GRPC" }, body);
        const type = { "content-type": "" };
        assert.deepEqual(
          { ...plain, header: { ...plain.header, ...type } },
          { ...whole, header: { ...whole.header, ...type } },
          `${name} ${timeout}`,
        );
      }
    }
  });
}

test("a long answer is compressed for a caller that accepts it", async (t) => {
  const { session } = await serveStop(t, () => ({ failureReason: "x".repeat(5_000) }));
  const headers = { "content-type": "application/grpc", "grpc-accept-encoding": "identity, gzip" };
  const { header, body } = await answerTo(session, headers, enveloped(message));
  assert.equal((header as Record<string, string>)["grpc-encoding"], "gzip");
  assert.equal(body[0], 1);
  const { failureReason } = fromBinary(Tremplin.method.stopContainer.output, gunzipSync(body.subarray(5)));
  assert.equal(failureReason.length, 5_000);
});

test("a handler learns when its caller has gone, waits no longer, or has its answer", async (t) => {
  const ends: Record<string, Promise<unknown>> = {};
  const asked = Promise.withResolvers<void>();
  let rest: number | undefined;
  const { client, session } = await serveStop(t, async ({ containerName }, { signal, timeoutMs }) => {
    const ended = untilAborted(signal).then(() => ConnectError.from(signal.reason).code);
    ends[containerName] = ended;
    if (containerName === "late") rest = timeoutMs();
    asked.resolve();
    if (containerName !== "answered") await ended;
    return {};
  });
  const gone = new AbortController();
  const left = assert.rejects(client.stopContainer({ containerName: "gone" }, { signal: gone.signal }));
  await asked.promise;
  gone.abort();
  await left;
  // A client that gives up by itself might do so before the request has arrived.
  const late = enveloped(Buffer.from("\n\x04late"));
  await answerTo(session, { "content-type": "application/grpc", "grpc-timeout": "50m" }, late);
  assert.ok(rest !== undefined && rest <= 50 && Number.isInteger(rest), `${rest}`);
  await client.stopContainer({ containerName: "answered" });
  assert.equal(await ends.gone, Code.Canceled);
  assert.equal(await ends.late, Code.DeadlineExceeded);
  await ends.answered;
});

test("a failed call is reported to whoever logs", async (t) => {
  const failures: string[] = [];
  const { client } = await serveStop(
    t,
    () => {
      throw new TremplinError("busy", "a is being exported");
    },
    failures,
  );
  await assert.rejects(client.stopContainer({ containerName: "a" }));
  assert.deepEqual(failures, ["a is being exported"]);
});

import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import * as http from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { Health } from "../contract/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../contract/grpc/reflection/v1/reflection_pb.js";
import { file_tremplin, Tremplin, TremplinListener } from "../contract/tremplin_pb.js";
import type { Address } from "./address.ts";
import { answered } from "./answered.ts";
import { dial } from "./client.ts";
import { health } from "./health.ts";
import { reflection } from "./reflection.ts";
import { serve } from "./server.ts";

const anyPort: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "transport-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function routes(router: Parameters<typeof reflection>[0]): void {
  router.service(Tremplin, { getDebugInfo: () => ({ debugInformation: "hello" }) });
  health(router, [Tremplin.typeName]);
  reflection(router, [file_tremplin]);
}

test("a unix socket is 0600 in a 0700 folder and answers gRPC", async () => {
  await using place = await folder();
  const address: Address = { kind: "unix", path: join(place.path, "run", "t.sock") };
  await using _server = await serve({ addresses: [address], routes });
  assert.equal((await stat(address.path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(place.path, "run"))).mode & 0o777, 0o700);
  using connection = dial(address);
  const answer = await createClient(Tremplin, connection.transport).getDebugInfo({});
  assert.equal(answer.debugInformation, "hello");
});

test("JSON over HTTP/1.1 is answered at the same address", async () => {
  await using server = await serve({ addresses: [anyPort], routes });
  const { port } = server.addresses[0] as { port: number };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = http.request(
    {
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/vm_tools.tremplin.Tremplin/GetDebugInfo",
      headers: { "content-type": "application/json" },
    },
    (response) => response.setEncoding("utf8").once("data", resolve),
  );
  request.once("error", reject);
  request.end("{}");
  assert.deepEqual(JSON.parse(await promise), { debugInformation: "hello" });
});

test("a stale socket file is replaced, a living one and a plain file are not", async () => {
  await using place = await folder();
  const path = join(place.path, "t.sock");
  const address: Address = { kind: "unix", path };
  // A socket file whose server died: bind, then lose the server without unlinking.
  const dead = createServer().listen(`${path}.old`);
  await new Promise((resolve) => dead.once("listening", resolve));
  const { rename } = await import("node:fs/promises");
  await rename(`${path}.old`, path);
  await new Promise((resolve) => dead.close(resolve));
  {
    await using _server = await serve({ addresses: [address], routes });
    await assert.rejects(serve({ addresses: [address], routes }), /another program listens there/);
  }
  await rm(path, { force: true });
  await writeFile(path, "precious");
  await assert.rejects(serve({ addresses: [address], routes }), /not a socket/);
});

test("an address that others can reach needs TLS", async () => {
  const open: Address = { kind: "tcp", host: "0.0.0.0", port: 0 };
  await assert.rejects(serve({ addresses: [open], routes }), /without TLS.*--tls-cert/);
});

test("health and reflection answer as gRPC tools expect", async () => {
  await using server = await serve({ addresses: [anyPort], routes });
  using connection = dial(server.addresses[0] as Address);
  const healthy = await createClient(Health, connection.transport).check({ service: Tremplin.typeName });
  assert.equal(healthy.status, 1);
  async function* ask() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: TremplinListener.typeName } };
    yield { messageRequest: { case: "fileByFilename" as const, value: "nope.proto" } };
  }
  const answers = [];
  for await (const answer of createClient(ServerReflection, connection.transport).serverReflectionInfo(
    ask(),
  )) {
    answers.push(answer.messageResponse);
  }
  assert.deepEqual(
    answers.map((answer) => answer.case),
    ["listServicesResponse", "fileDescriptorResponse", "errorResponse"],
  );
});

test("answered settles after the answer has left, not before", async () => {
  const order: string[] = [];
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  await using server = await serve({
    addresses: [anyPort],
    routes: (router) =>
      router.service(Tremplin, {
        getDebugInfo(_request, { values }) {
          values.get(answered).then(() => {
            order.push("answered");
            resolve();
          });
          order.push("handled");
          return {};
        },
      }),
  });
  using connection = dial(server.addresses[0] as Address);
  await createClient(Tremplin, connection.transport).getDebugInfo({});
  await settled;
  assert.deepEqual(order, ["handled", "answered"]);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../base/logger.ts";
import { EngineHttp } from "../http/engine-http.ts";
import type { OperationRecord } from "./operation-record.ts";
import { waitForOperation } from "./wait-for-operation.ts";

const unknown = JSON.stringify({ type: "error", error: "Operation not found", error_code: 404 });
const initial = { id: "7", description: "Deleting instance", status: "Running", status_code: 103 };

/** Waits for an operation of an engine that forgot it, as one does that was started again. */
async function waiting(answer: RequestListener) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "wait-for-operation-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, "socket");
  const server = createServer((request, response) => {
    if (request.url?.includes("/wait")) answer(request, response);
    else response.writeHead(404).end(unknown);
  }).listen(path);
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const http = stack.use(new EngineHttp({ kind: "unix", path }, silentLogger));
  return await waitForOperation(http, initial as OperationRecord, true);
}

test("an engine that dies during an operation is unavailable, also if it hides operations", async () => {
  await assert.rejects(
    waiting((request) => void request.socket.destroy()),
    { code: "unavailable" },
  );
});

test("an operation that an engine hid and forgot fails with the engine's words", async () => {
  const hidden = JSON.stringify({ type: "error", error: "disk full", error_code: 500 });
  await assert.rejects(
    waiting((_request, response) => void response.end(hidden)),
    { code: "failed", message: /disk full/ },
  );
});

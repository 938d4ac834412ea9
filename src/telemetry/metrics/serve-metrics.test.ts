import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { Gauge, Registry } from "prom-client";
import { silentLogger } from "../../base/logger.ts";
import { parseAddress, type TcpAddress } from "../../transport/address.ts";
import { serveMetrics } from "./serve-metrics.ts";

function registryWith(read: () => number): Registry {
  const registry = new Registry();
  new Gauge({
    ...{ name: "answer", help: "An answer.", registers: [registry] },
    collect() {
      this.set(read());
    },
  });
  return registry;
}

async function ask(options: RequestOptions): Promise<{ status: number; body: string; type: string }> {
  const call = request({ agent: false, path: "/metrics", ...options });
  call.end();
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 0,
    body: await text(answer),
    type: answer.headers["content-type"] ?? "",
  };
}

async function onLoopback(t: TestContext, registry = registryWith(() => 42)): Promise<TcpAddress> {
  const server = await serveMetrics(parseAddress("tcp:127.0.0.1:0"), registry, silentLogger);
  t.after(() => server[Symbol.asyncDispose]());
  return server.address as TcpAddress;
}

describe("the server of metrics", () => {
  test("answers on the loopback in Prometheus' text format", async (t) => {
    const { host, port } = await onLoopback(t);
    const answer = await ask({ host, port });
    assert.equal(answer.status, 200);
    assert.match(answer.type, /^text\/plain; version=0\.0\.4/);
    assert.match(answer.body, /^answer 42$/m);
    const head = await ask({ host, port, method: "HEAD" });
    assert.deepEqual([head.status, head.body], [200, ""]);
  });

  test("is of no use to a web page, nor to a page whose name leads here", async (t) => {
    const { host, port } = await onLoopback(t);
    const statusOf = async (headers: Record<string, string>) => (await ask({ host, port, headers })).status;
    assert.equal(await statusOf({ origin: "https://example.com" }), 403);
    assert.equal(await statusOf({ origin: `http://127.0.0.1:${port}` }), 403);
    assert.equal(await statusOf({ host: "example.com" }), 421);
    assert.equal(await statusOf({ host: `example.com:${port}` }), 421);
    for (const own of [`localhost:${port}`, `127.0.0.1:${port}`, "[::1]"])
      assert.equal(await statusOf({ host: own }), 200);
  });

  test("has nothing but the metrics, which can only be read", async (t) => {
    const { host, port } = await onLoopback(t);
    const statusOf = async (options: RequestOptions) => (await ask({ host, port, ...options })).status;
    assert.equal(await statusOf({ path: "/" }), 404);
    assert.equal(await statusOf({ path: "/metrics/" }), 404);
    assert.equal(await statusOf({ path: "/metrics?name[]=answer" }), 200);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) assert.equal(await statusOf({ method }), 405);
  });

  test("is on a socket file this user's alone", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "metrics-"));
    t.after(() => rm(folder, { recursive: true }));
    const socketPath = join(folder, "metrics.sock");
    await using _server = await serveMetrics(
      parseAddress(`unix:${socketPath}`),
      registryWith(() => 42),
      silentLogger,
    );
    assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
    assert.match((await ask({ socketPath })).body, /answer 42/);
  });

  test("reads nothing until it is asked, and once for all who ask together", async (t) => {
    let reads = 0;
    const { host, port } = await onLoopback(
      t,
      registryWith(() => ++reads),
    );
    assert.equal(reads, 0);
    await Promise.all(Array.from({ length: 10 }, () => ask({ host, port })));
    assert.ok(reads <= 2, `${reads} times`);
  });

  test("survives a part that cannot be read", async (t) => {
    let isBroken = true;
    const registry = registryWith(() => {
      if (isBroken) throw new Error("broken");
      return 1;
    });
    const { host, port } = await onLoopback(t, registry);
    const broken = await ask({ host, port });
    assert.equal(broken.status, 500);
    assert.doesNotMatch(broken.body, /broken/);
    isBroken = false;
    assert.equal((await ask({ host, port })).status, 200);
  });

  test("is not for other machines", async () => {
    for (const address of ["tcp:0.0.0.0:9100", "tcp:[::]:9100", "tcp:example.com:9100", "vsock:any:9100"]) {
      await assert.rejects(serveMetrics(parseAddress(address), new Registry(), silentLogger), {
        code: "invalid",
        message: /within this machine/,
      });
    }
  });
});

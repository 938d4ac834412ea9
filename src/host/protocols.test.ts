import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { hostFixture } from "../../test/support/host-fixture.ts";
import { Host } from "../contract/tremplin/v1/host_pb.js";

const baseUrl = "http://localhost";

test("gRPC, gRPC-Web and Connect get the same answers and streams", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  const guest = await at.guest("vm");
  guest.containers.set("web", "running");
  await guest.notify("containerShutdown", { containerName: "gone" });
  assert.ok(at.hostAddress.kind === "unix");
  const { path: socketPath } = at.hostAddress;
  const http1 = { baseUrl, httpVersion: "1.1" as const, nodeOptions: { socketPath } };
  const transports: Readonly<Record<string, Transport>> = {
    "gRPC-Web": createGrpcWebTransport(http1),
    Connect: createConnectTransport({ ...http1, useBinaryFormat: true }),
    JSON: createConnectTransport({ ...http1, useBinaryFormat: false }),
  };
  const seen = async (host: ReturnType<typeof createClient<typeof Host>>) => {
    const { guests } = await host.listContainers({});
    const events = await Array.fromAsync(host.watch({ after: 0n, onlyLog: true }));
    const names = guests.flatMap(({ containers }) => containers.map(({ container }) => container?.name));
    return [names, events.map(({ sequence, notice }) => `${sequence} ${notice.case}`)];
  };
  const expected = [["web"], ["0 begun", "1 shutdown"]];
  assert.deepEqual(await seen(at.api(Host)), expected);
  for (const [name, transport] of Object.entries(transports)) {
    assert.deepEqual(await seen(createClient(Host, transport)), expected, name);
  }
});

test("a program without any library gets JSON", async (t) => {
  const at = await hostFixture(t);
  await at.host("vm");
  assert.ok(at.hostAddress.kind === "unix");
  const { promise, resolve } = Promise.withResolvers<string>();
  const options = {
    socketPath: at.hostAddress.path,
    path: "/tremplin.v1.Host/ListGuests",
    method: "POST",
    headers: { "content-type": "application/json" },
  };
  request(options, async (response) => {
    resolve(Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString());
  }).end("{}");
  assert.equal(JSON.parse(await promise).guests[0].name, "vm");
});

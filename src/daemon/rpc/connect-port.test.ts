import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortInput } from "../../contract/tremplin/v1/guest_pb.js";
import { connectPort } from "./connect-port.ts";

type Means = NonNullable<Parameters<typeof connectPort>[1]>;
type Ports = Parameters<typeof connectPort>[0]["ports"];

test("only some connections read much ahead, also when many begin at once", async () => {
  const readAhead: number[] = [];
  const all = Promise.withResolvers<never>();
  const means: Means = {
    connect: ({ readAheadBytes }) => {
      readAhead.push(readAheadBytes);
      return all.promise;
    },
    wasTaken: async () => false,
  };
  const ports = { find: () => ({}) } as unknown as Ports;
  const connect = connectPort({ ports }, means);
  const start = { containerName: "web", port: 8080, preferIpv6: false };
  const inputs = async function* () {
    yield { input: { case: "start", value: start } } as unknown as PortInput;
  };
  const begin = () => connect(inputs(), { signal: new AbortController().signal }).next();
  const calls = Array.from({ length: 100 }, begin).map((call) => assert.rejects(call, /no way there/));
  await new Promise((resolve) => setImmediate(resolve));
  all.reject(new Error("no way there"));
  await Promise.all(calls);
  assert.equal(readAhead.filter((bytes) => bytes > 64 * 1024).length, 32);
  await assert.rejects(begin(), /no way there/);
  assert.equal(readAhead.at(-1), readAhead[0]);
});

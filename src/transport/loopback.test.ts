import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, lookupLoopback, loopbackAddress } from "./loopback.ts";

type Found = [error: Error | null, address: unknown];

function look(host: string, all: boolean): Promise<Found> {
  const { promise, resolve } = Promise.withResolvers<Found>();
  lookupLoopback(host, { all }, (error, address) => resolve([error, address]));
  return promise;
}

test("localhost is resolved to addresses of the loopback interface", async () => {
  const [error, address] = await look("localhost", false);
  assert.equal(error, null);
  assert.ok(isLoopback(String(address)));
  assert.ok(isLoopback(await loopbackAddress("localhost")));
  const [, all] = await look("localhost", true);
  assert.ok((all as { address: string }[]).every((each) => isLoopback(each.address)));
});

test("a name of another machine is refused with its address", async () => {
  // An address is its own answer, as that of a wrong line in /etc/hosts would be.
  for (const all of [true, false]) {
    const [error] = await look("192.0.2.1", all);
    assert.match(
      String(error),
      /192\.0\.2\.1 here, which is not on the loopback interface: correct \/etc\/hosts/,
    );
  }
  const [unknown] = await look("no-such-host.invalid", false);
  assert.match(String(unknown), /cannot resolve no-such-host\.invalid: write 127\.0\.0\.1/);
});

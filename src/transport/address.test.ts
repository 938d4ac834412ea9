import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Address, formatAddress, isLocal, parseAddress } from "./address.ts";

test("the three forms are parsed", () => {
  assert.deepEqual(parseAddress("unix:/run/t.sock"), { kind: "unix", path: "/run/t.sock" });
  assert.deepEqual(parseAddress("tcp:127.0.0.1:80"), { kind: "tcp", host: "127.0.0.1", port: 80 });
  assert.deepEqual(parseAddress("tcp:[::1]:0"), { kind: "tcp", host: "::1", port: 0 });
  assert.deepEqual(parseAddress("vsock:any:8890"), { kind: "vsock", cid: "any", port: 8890 });
  assert.deepEqual(parseAddress("vsock:2:7778"), { kind: "vsock", cid: 2, port: 7778 });
});

for (const bad of [
  "",
  "unix:",
  "unix:relative",
  "tcp:host",
  "tcp:h:65536",
  "tcp::1:80",
  "vsock:x:1",
  "http://x",
]) {
  test(`"${bad}" is rejected with the three forms in the message`, () => {
    assert.throws(() => parseAddress(bad), /unix:\/path, tcp:HOST:PORT or vsock:CID:PORT/);
  });
}

test("a formatted address is parsed back to the same address", () => {
  const port = fc.integer({ min: 0, max: 65535 });
  const address: fc.Arbitrary<Address> = fc.oneof(
    fc.record({ kind: fc.constant("unix" as const), path: fc.stringMatching(/^\/[a-z/.]+$/) }),
    fc.record({ kind: fc.constant("tcp" as const), host: fc.oneof(fc.ipV4(), fc.ipV6()), port }),
    fc.record({ kind: fc.constant("vsock" as const), cid: fc.integer({ min: 0, max: 0xffffffff }), port }),
  );
  fc.assert(fc.property(address, (a) => assert.deepEqual(parseAddress(formatAddress(a)), { ...a })));
});

test("only unix sockets and loopback are local", () => {
  for (const local of [
    ...["unix:/x", "tcp:127.1.2.3:1", "tcp:[::1]:1", "tcp:localhost:1", "tcp:LocalHost:1"],
    ...["tcp:[0:0:0:0:0:0:0:1]:1", "tcp:[::ffff:127.0.0.1]:1", "tcp:[::ffff:7f00:1]:1"],
  ]) {
    assert.equal(isLocal(parseAddress(local)), true, local);
  }
  for (const open of [
    ...["tcp:0.0.0.0:1", "tcp:[::]:1", "tcp:10.0.0.1:1", "tcp:127.0.0.1.example.org:1", "vsock:any:1"],
    // No addresses, so a name server would be asked for them.
    ...["tcp:127.999.1.1:1", "tcp:127.1:1", "tcp:0127.0.0.1:1", "tcp:localhost.:1", "tcp:my.localhost:1"],
  ]) {
    assert.equal(isLocal(parseAddress(open)), false, open);
  }
});

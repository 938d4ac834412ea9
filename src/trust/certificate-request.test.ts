import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rolePattern } from "../transport/role.ts";
import { certificateConfig } from "./certificate-request.ts";

test("the configuration has the role and the addresses, each in one line", () => {
  const text = certificateConfig({ kind: "guest", name: "vm" }, ["vm.example", "10.0.0.1", "fe80::1"]);
  assert.match(
    text,
    /^subjectAltName = URI:tremplin:guest\/vm, DNS:vm\.example, IP:10\.0\.0\.1, IP:fe80::1$/m,
  );
  assert.match(text, /^CN = guest vm$/m);
});

test("no name and no address adds a line or an extension", () => {
  const count = certificateConfig({ kind: "host" }, []).split("\n").length;
  const name = fc.stringMatching(rolePattern);
  fc.assert(
    fc.property(name, fc.string(), (known, address) => {
      try {
        const text = certificateConfig({ kind: "client", name: known }, [address]);
        assert.equal(text.split("\n").length, count);
        assert.match(address, /^[A-Za-z0-9.:-]+$/);
      } catch (error) {
        assert.match(String(error), /is neither a host name nor an IP address/);
      }
    }),
  );
  for (const bad of [
    "a,URI:tremplin:host",
    "a\nb",
    "",
    "-a",
    "a..b",
    "1.2.3.4/8",
    "x".repeat(254),
    "$ENV::HOME",
  ]) {
    assert.throws(() => certificateConfig({ kind: "host" }, [bad]), /is neither/, bad);
  }
});

import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { temporaryFolder } from "../../test/support/hostile-peer.ts";
import { parseSerials, RevokedSerials } from "./revoked-serials.ts";

test("a serial number is found in whichever form it was written", () => {
  const serials = parseSerials("# revoked\n0aB1 guest/vm 2026-01-01\n\n  C2:D3\r\n00\n");
  assert.deepEqual([...serials], ["AB1", "C2D3", "0"]);
  const number = fc.bigInt({ min: 0n, max: 2n ** 160n }).map((value) => value.toString(16));
  fc.assert(
    fc.property(number, fc.nat(3), (serial, zeros) => {
      const [found] = parseSerials(`${"0".repeat(zeros)}${serial} x`);
      assert.equal(found, serial.toUpperCase());
    }),
  );
});

test("a line that is no serial number is an error with its place", () => {
  assert.throws(
    () => parseSerials("AB\nguest/vm\n"),
    /line 2 does not begin with a serial number: guest\/vm/,
  );
});

test("the file is read again when it has changed, and refuses everyone while it is damaged", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "revoked");
  const revoked = new RevokedSerials(path);
  assert.equal(revoked.reasonToRefuse("0AB"), undefined);
  await writeFile(path, "AB guest/vm\n");
  assert.equal(revoked.reasonToRefuse("0AB"), "certificate 0AB was revoked");
  assert.equal(revoked.reasonToRefuse("AC"), undefined);
  await writeFile(`${path}.new`, "AC\n");
  await rename(`${path}.new`, path);
  assert.equal(revoked.reasonToRefuse("AB"), undefined);
  assert.match(revoked.reasonToRefuse("AC") ?? "", /was revoked/);
  await writeFile(path, "what is this\n");
  assert.match(revoked.reasonToRefuse("1") ?? "", /no certificate is accepted while .*line 1/);
  await rm(path);
  assert.equal(revoked.reasonToRefuse("AC"), undefined);
});

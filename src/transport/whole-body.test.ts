import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { eventually } from "../../test/support/eventually.ts";
import { wholeBody } from "./whole-body.ts";

const MIB = 1024 * 1024;
const metering = { hold: () => true, noRoom: () => assert.fail("there is room") };

test("a body is the same, however it is cut", async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40_000, size: "max" }), { maxLength: 6 });
  const property = fc.asyncProperty(chunks, async (all) => {
    const request = new PassThrough({ highWaterMark: MIB });
    const body = wholeBody(request, metering);
    for (const chunk of all) request.write(chunk);
    request.end();
    assert.deepEqual(await body, { bytes: Buffer.concat(all) });
  });
  await fc.assert(property, { numRuns: 30 });
});

test("a byte does not keep what was read together with it", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const request = new PassThrough();
  const body = wholeBody(request, metering);
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 1000; count++) {
    request.write(Buffer.allocUnsafeSlow(64 * 1024).subarray(0, 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const kept = (): number => {
    collect();
    return process.memoryUsage().arrayBuffers - before;
  };
  // What is not used is freed in the background.
  await eventually("it is freed", async () => kept() < 4 * MIB || undefined);
  request.end();
  const read = await body;
  assert.ok(read && "bytes" in read && read.bytes.length === 1000);
});

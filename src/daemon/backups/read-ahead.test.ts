import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { parseListedFiles } from "./read-ahead.ts";

const name = fc
  .uint8Array({ minLength: 1, maxLength: 30 })
  .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)));
const size = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const file = fc.record({ size, name }, { noNullPrototype: true });

test("names of any bytes are parsed, however the text is split", async () => {
  const cut = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(file), cut, async (files, lengths) => {
      const text = Buffer.concat(
        files.flatMap(({ size, name }) => [Buffer.from(`${size} `), name, Buffer.from([0])]),
      );
      const found = [];
      for await (const some of parseListedFiles(Readable.from(pieces(text, lengths)))) found.push(...some);
      assert.deepEqual(
        found.map(({ size, name }) => ({ size, name: Buffer.from(name.subarray(0, -1)) })),
        files,
      );
    }),
  );
});

function* pieces(text: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let start = 0, turn = 0; start < text.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield text.subarray(start, start + length);
    start += length;
  }
}

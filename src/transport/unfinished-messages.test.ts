import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { hasCode } from "../../test/support/host-fixture.ts";
import { MAX_MESSAGE_BYTES, metered, UnfinishedMessage } from "./unfinished-messages.ts";

function message(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

async function* bodyOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const noRoom = () => new ConnectError("no room", Code.ResourceExhausted);

test("of a stream only the bytes of the unfinished message count, wherever its chunks end", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (messages, sizes) => {
      const whole = Buffer.concat(messages.map(message));
      const ends = messages.map((_, at) => Buffer.concat(messages.slice(0, at + 1).map(message)).length);
      const unfinished = new UnfinishedMessage();
      for (let at = 0; at < whole.length; ) {
        const chunk = whole.subarray(at, at + (sizes.next().value as number));
        at += chunk.length;
        const begun = ends.filter((end) => end <= at).at(-1) ?? 0;
        assert.equal(unfinished.add(chunk), at - begun);
      }
    }),
  );
});

for (const streams of [true, false]) {
  test(`a message over the limit is refused before it is complete, ${streams ? "in a stream" : "alone"}`, async () => {
    const chunk = Buffer.alloc(MAX_MESSAGE_BYTES / 2);
    const chunks = [huge(), chunk, chunk, chunk];
    const seen: number[] = [];
    const hold = (bytes: number) => seen.push(bytes) > 0;
    const body = metered(bodyOf(chunks), { streams, isCompressed: false, hold, noRoom });
    const pattern = /a message of a request may have 1114112 bytes, and this one has more/;
    await assert.rejects(Array.fromAsync(body), hasCode(Code.ResourceExhausted, pattern));
    assert.ok(Math.max(...seen) <= MAX_MESSAGE_BYTES + 5);
  });
}

/** The prefix of a message of 4 GiB. */
function huge(): Buffer {
  return Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
}

test("a compressed message counts as large as it may become", async () => {
  const seen: number[] = [];
  const hold = (bytes: number) => seen.push(bytes) > 0;
  await Array.fromAsync(metered(bodyOf([message(3)]), { streams: false, isCompressed: true, hold, noRoom }));
  assert.deepEqual(new Set(seen), new Set([MAX_MESSAGE_BYTES]));
});

test("without room nothing is passed on", async () => {
  const body = metered(bodyOf([message(3)]), {
    ...{ streams: false, isCompressed: false, noRoom },
    hold: () => false,
  });
  await assert.rejects(body.next(), hasCode(Code.ResourceExhausted, /no room/));
});

import fc from "fast-check";

/** What a file of JSON may have become: cut off, overwritten, of another type, of another version. */
export const damagedContents: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  zeros: Buffer.alloc(512),
  binary: Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]),
  truncated: Buffer.from('{"name":"x","inde'),
  "two documents": Buffer.from('{"a":1}{"a":1}'),
  "bytes after it": Buffer.from('{"a":1}}\n0'),
  null: Buffer.from("null"),
  "a number": Buffer.from("5"),
  "a text": Buffer.from('"text"'),
  "a list of other things": Buffer.from('[{"a":[null]}]'),
  "fields of other types": Buffer.from(
    JSON.stringify({
      ...{ name: 1, index: {}, boot: [], indexes: [], wishes: 7, confirmed: "x", pending: 1, missing: 3 },
      ...{ setup: [], pools: {}, phase: "flying", moved: "x", id: 1, pid: "one", startedAt: null, words: 5 },
      ...{ memory: "much", cpus: -1, accelerator: "magic", ports: {}, networks: "none", kind: 4, steps: "" },
    }),
  ),
};

/** Bytes that are hardly ever JSON, and JSON that is hardly ever what was written. */
export const anyContent = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc.constantFrom(...Object.values(damagedContents)),
);

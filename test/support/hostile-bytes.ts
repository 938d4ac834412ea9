import fc from "fast-check";

/** Names that are no host names: what gRPC's C core sends over unix sockets, and what others may. */
export const authorities = [
  "run%2Ftremplin%2Fguest.sock",
  "vsock:3:8890",
  "[::1",
  "host:99999",
  "%",
  "999.999.999.999",
  "a b",
  "//",
  "user@:0",
  "\u00ff",
  "",
];

type Header = readonly [name: string, value: string];

const paths = [
  "/vm_tools.tremplin.Tremplin/GetDebugInfo",
  "/vm_tools.tremplin.Tremplin/GetDebugInfo?connect=v1&encoding=json&message=%7B%7D",
  "/vm_tools.tremplin.Tremplin/CreateContainer",
  "/grpc.health.v1.Health/Watch",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/vm_tools.tremplin.Tremplin/Nope",
  "http://[::1/vm_tools.tremplin.Tremplin/GetDebugInfo",
  "//",
  "*",
  "",
];

const values: Readonly<Record<string, readonly string[]>> = {
  ":method": ["POST", "GET", "CONNECT", "PRI", "OPTIONS", ""],
  ":path": paths,
  ":scheme": ["http", "https", "[", ""],
  ":authority": authorities,
  host: authorities,
  "content-type": [
    "application/grpc",
    "application/grpc+json",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/json",
    "application/connect+proto",
    "application/proto",
    "application/grpc;charset=\u00ff",
    "",
  ],
  "content-length": ["0", "5", "-1", "99999999999999999999"],
  "transfer-encoding": ["chunked", "gzip, chunked", "identity"],
  "grpc-timeout": ["1n", "0S", "99999999H", "x"],
  "connect-timeout-ms": ["0", "9999999999"],
  "grpc-encoding": ["gzip", "br", "rot13"],
  "connect-content-encoding": ["gzip"],
  expect: ["100-continue", "more"],
  connection: ["upgrade", "close", "host"],
  upgrade: ["h2c", "websocket"],
  te: ["trailers"],
  trailer: ["grpc-status"],
  "tremplin-guest": ["vm", "\u0080"],
  ["__proto__"]: ["x"],
  constructor: ["x"],
};

const anyText = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const hostileHeader: fc.Arbitrary<Header> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom(...Object.keys(values))
      .chain((name) =>
        fc.tuple(
          fc.constant(name),
          fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...(values[name] ?? [])) }, anyText),
        ),
      ),
  },
  { weight: 1, arbitrary: fc.tuple(anyText, anyText) },
);

/** A good request in which some headers are replaced, given twice or new. */
const headers: fc.Arbitrary<Header[]> = fc
  .tuple(
    fc.constantFrom(...paths.slice(0, 5)),
    fc.constantFrom(...(values["content-type"] ?? [])),
    fc.array(hostileHeader, { maxLength: 4 }),
    fc.boolean(),
  )
  .map(([path, type, hostile, twice]) => {
    const good: Header[] = [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", path],
      [":authority", "localhost"],
      ["content-type", type],
    ];
    const kept = twice ? good : good.filter(([name]) => !hostile.some(([other]) => other === name));
    const isPseudo = ([name]: Header): boolean => name.startsWith(":");
    const all = [...kept, ...hostile];
    return [...all.filter(isPseudo), ...all.filter((header) => !isPseudo(header))];
  });

const body = fc.oneof(
  fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from("{}"),
    Buffer.alloc(5),
    Buffer.from("00ffffffff", "hex"),
    Buffer.from("0100000000", "hex"),
    Buffer.from("020000000161", "hex"),
    Buffer.from("0\r\n\r\n"),
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

const http1: fc.Arbitrary<Buffer> = fc
  .tuple(headers, body, fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", ""))
  .map(([all, rest, version]) => {
    const of = (wanted: string): string => all.find(([name]) => name === wanted)?.[1] ?? "";
    const plain = all.filter(([name]) => !name.startsWith(":"));
    if (!plain.some(([name]) => name === "content-length"))
      plain.push(["content-length", String(rest.length)]);
    const lines = plain.map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.concat([
      Buffer.from(`${of(":method")} ${of(":path")} ${version}\r\n${lines.join("")}\r\n`, "latin1"),
      rest,
    ]);
  });

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields as HPACK's plainest form, which can hold anything. */
function headerBlock(all: readonly Header[]): Buffer {
  const text = (word: string): Buffer => {
    const bytes = Buffer.from(word, "latin1").subarray(0, 126);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  };
  return Buffer.concat(all.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

const HEADERS = 1;
const DATA = 0;
const END_HEADERS = 4;
const oddStream = fc.constantFrom(1, 3, 5, 7);
const anyFrame: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .tuple(oddStream, headers, fc.boolean())
    .map(([stream, all, last]) => frame(HEADERS, END_HEADERS | Number(last), stream, headerBlock(all))),
  fc
    .tuple(oddStream, body, fc.boolean())
    .map(([stream, bytes, last]) => frame(DATA, Number(last), stream, bytes)),
  // RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE and the like, in good form or not.
  fc
    .tuple(
      fc.integer({ min: 2, max: 9 }),
      fc.constantFrom(0, 1, 4),
      fc.constantFrom(0, 1, 3),
      fc.constantFrom(4, 6, 8, 5, 0),
    )
    .chain(([type, flags, stream, length]) =>
      fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((bytes) => frame(type, flags, stream, bytes)),
    ),
  fc
    .tuple(fc.nat(255), fc.nat(255), fc.nat(), body, fc.nat(20_000))
    .map(([type, flags, stream, bytes, length]) => frame(type, flags, stream, bytes, length)),
);
const http2: fc.Arbitrary<Buffer> = fc
  .tuple(headers, fc.array(anyFrame, { maxLength: 6 }))
  .map(([first, frames]) =>
    Buffer.concat([
      PREFACE,
      frame(4, 0, 0, Buffer.alloc(0)),
      frame(HEADERS, END_HEADERS, 1, headerBlock(first)),
      ...frames,
    ]),
  );

/** What a server may be given to read: requests of either version that are nearly good, and rubbish. */
export const requestBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: http2 },
  { weight: 3, arbitrary: fc.array(http1, { minLength: 1, maxLength: 3 }).map((all) => Buffer.concat(all)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(Buffer.alloc(0), Buffer.from("P"), PREFACE, Buffer.from("16030100", "hex")),
        body,
      )
      .map((parts) => Buffer.concat(parts)),
  },
);

const answerHeaders: fc.Arbitrary<Header[]> = fc
  .tuple(
    fc.constantFrom("200", "404", "500", "100", "103", "0", "x", ""),
    fc.array(
      fc.oneof(
        hostileHeader,
        fc.tuple(
          fc.constantFrom("grpc-status", "grpc-message", "grpc-status-details-bin", ":status"),
          fc.oneof(fc.constantFrom("0", "12", "-1", "99", "%", "%ff", "=", "AAAA"), anyText),
        ),
      ),
      { maxLength: 5 },
    ),
  )
  .map(([status, rest]) => [
    [":status", status] as const,
    ["content-type", "application/grpc"] as const,
    ...rest,
  ]);

/** What a client may be given to read in answer. */
export const answerBytes: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(
        fc.oneof(
          fc
            .tuple(oddStream, answerHeaders, fc.boolean())
            .map(([stream, all, last]) =>
              frame(HEADERS, END_HEADERS | Number(last), stream, headerBlock(all)),
            ),
          anyFrame,
        ),
        { maxLength: 6 },
      )
      .map((frames) => Buffer.concat([frame(4, 0, 0, Buffer.alloc(0)), ...frames])),
  },
  fc.constantFrom(Buffer.alloc(0), Buffer.from("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")),
  body,
);

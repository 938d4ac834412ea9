import { createSocket } from "node:dgram";
import { once } from "node:events";

const answered = 0x8180;
const noSuchName = 0x8183;
const ofAddress = 1;

/**
 * A name server on port 53 of a loopback address. It knows the names given, and says of all others that there is
 * no such name, to be remembered for an hour as a real one does.
 */
export async function nameServer(
  address: string,
  names: Readonly<Record<string, string>>,
): Promise<AsyncDisposable> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => socket.send(answer(query, names), from.port, from.address));
  socket.bind(53, address);
  await once(socket, "listening");
  return {
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

function answer(query: Buffer, names: Readonly<Record<string, string>>): Buffer {
  const labels: string[] = [];
  let place = 12;
  for (let length = query[place] ?? 0; length > 0; length = query[place] ?? 0) {
    labels.push(query.toString("latin1", place + 1, place + 1 + length));
    place += 1 + length;
  }
  const question = query.subarray(12, place + 5);
  const address = names[labels.join(".")];
  const records =
    address && query.readUInt16BE(place + 1) === ofAddress ? [record(ofAddress, 60, octets(address))] : [];
  const authority = address ? [] : [record(6, 3600, startOfAuthority)];
  const head = Buffer.alloc(12);
  const numbers = [address ? answered : noSuchName, 1, records.length, authority.length, 0];
  query.copy(head, 0, 0, 2);
  for (const [index, number] of numbers.entries()) head.writeUInt16BE(number, 2 + 2 * index);
  return Buffer.concat([head, question, ...records, ...authority]);
}

/** A record about the name that was asked for. */
function record(type: number, seconds: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(seconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function octets(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

/** Two names, the root, and five numbers, the last of which is how long a "no" is remembered. */
const startOfAuthority = Buffer.concat([
  Buffer.from([0, 0]),
  Buffer.from(
    Uint8Array.from([1, 3600, 3600, 3600, 3600].flatMap((number) => [0, 0, number >> 8, number & 255])),
  ),
]);

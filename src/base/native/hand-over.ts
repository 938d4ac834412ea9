import { randomBytes } from "node:crypto";
import koffi from "koffi";
import { bindRaw, closeRaw, libc, rawSocket, SOL_SOCKET } from "./raw-socket.ts";

/*
 * A socket goes from one process to another as control data of a datagram (unix(7), SCM_RIGHTS). An abstract name leaves
 * no file behind, and reaches only processes of the same network namespace. The structures are those of all 64-bit
 * Linux machines.
 */

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const CONTROL_HEADER = 16;
/** For one descriptor: the kernel closes what does not fit. */
const CONTROL_SIZE = CONTROL_HEADER + 4;
const SO_DOMAIN = 39;
const SO_ATTACH_FILTER = 26;
const SO_TYPE = 3;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;

/** Instructions of classic BPF (linux/filter.h): loads a word of the datagram, jumps if it is equal, ends. */
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
const KEEP_ALL = 0xffff_ffff;
const DROP = 0;
const INSTRUCTION_SIZE = 8;

const HEX_128 = /^[0-9a-f]{32}$/;

const vector = koffi.struct("iovec", { base: "void*", length: "size_t" });
const header = koffi.struct("msghdr", {
  name: "void*",
  nameLength: "uint",
  vectors: koffi.pointer(vector),
  vectorCount: "size_t",
  control: "void*",
  controlLength: "size_t",
  flags: "int",
});
const filter = koffi.struct("sock_fprog", { length: "ushort", instructions: "void*" });
const calls = {
  sendmsg: libc.func("sendmsg", "long", ["int", koffi.pointer(header), "int"]),
  recvmsg: libc.func("recvmsg", "long", ["int", koffi.inout(koffi.pointer(header)), "int"]),
  getsockopt: libc.func("int getsockopt(int, int, int, _Out_ int*, _Inout_ uint*)"),
  setsockopt: libc.func("setsockopt", "int", ["int", "int", "int", koffi.pointer(filter), "uint"]),
};

/** Where a socket can be sent to, and the key that must come with it. Each has 32 hexadecimal digits. */
export interface HandOverPlace {
  readonly name: string;
  readonly key: string;
}

/**
 * Sends a copy of a socket to a process of this machine that waits at the place. False: nobody does, perhaps because it
 * is another machine.
 */
export function handOver(fd: number, { name, key }: HandOverPlace): boolean {
  if (!HEX_128.test(name) || !HEX_128.test(key)) return false;
  const sender = rawSocket(AF_UNIX, SOCK_DGRAM);
  if (sender < 0) return false;
  try {
    const control = Buffer.alloc(CONTROL_SIZE);
    control.writeBigUInt64LE(BigInt(CONTROL_SIZE), 0);
    control.writeInt32LE(SOL_SOCKET, 8);
    control.writeInt32LE(SCM_RIGHTS, 12);
    control.writeInt32LE(fd, CONTROL_HEADER);
    const message = messageOf(Buffer.from(key, "hex"), control, addressOf(name));
    return calls.sendmsg(sender, message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  } finally {
    closeRaw(sender);
  }
}

/** Waits for one socket from another process of this machine. */
export class HandOverReceiver implements Disposable {
  readonly place: HandOverPlace = {
    name: randomBytes(16).toString("hex"),
    key: randomBytes(16).toString("hex"),
  };
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Undefined where the machine has no descriptor left. */
  static open(): HandOverReceiver | undefined {
    const fd = rawSocket(AF_UNIX, SOCK_DGRAM);
    if (fd < 0) return undefined;
    const receiver = new HandOverReceiver(fd);
    const { name, key } = receiver.place;
    if (acceptOnly(fd, key) && bindRaw(fd, addressOf(name))) return receiver;
    receiver[Symbol.dispose]();
    return undefined;
  }

  /** The socket that has arrived, as a descriptor that the caller closes; undefined if none came with the key. */
  take(): number | undefined {
    const control = Buffer.alloc(CONTROL_SIZE);
    const message = messageOf(Buffer.alloc(16), control, undefined);
    const length = calls.recvmsg(this.#fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0 || control.readInt32LE(12) !== SCM_RIGHTS || message.controlLength < CONTROL_SIZE)
      return undefined;
    const fd = control.readInt32LE(CONTROL_HEADER);
    if (isTcp(fd)) return fd;
    closeRaw(fd);
    return undefined;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeRaw(this.#fd);
    this.#fd = -1;
  }
}

/**
 * Others on the machine can send here too. What does not begin with the key is dropped before it arrives: whoever closes
 * the last descriptor of a TCP socket waits as long as its sender wants (SO_LINGER), and here that would be this process.
 * False: not possible here.
 */
function acceptOnly(fd: number, key: string): boolean {
  const words = [0, 4, 8, 12].map((at) => [at, Buffer.from(key, "hex").readUInt32BE(at)] as const);
  const instructions = Buffer.concat([
    ...words.flatMap(([at, word], index) => [
      instruction(LOAD_WORD, at),
      // To the last instruction.
      instruction(JUMP_IF_EQUAL, word, 2 * (words.length - index) - 1),
    ]),
    instruction(RETURN, KEEP_ALL),
    instruction(RETURN, DROP),
  ]);
  const program = { length: instructions.length / INSTRUCTION_SIZE, instructions };
  return calls.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, koffi.sizeof(filter)) >= 0;
}

/** `skipIfNot`: how many of the next instructions. */
function instruction(code: number, operand: number, skipIfNot = 0): Buffer {
  const bytes = Buffer.alloc(INSTRUCTION_SIZE);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(skipIfNot, 3);
  bytes.writeUInt32LE(operand, 4);
  return bytes;
}

function messageOf(data: Buffer, control: Buffer, name: Buffer | undefined) {
  return {
    name: name ?? null,
    nameLength: name?.length ?? 0,
    vectors: [{ base: data, length: data.length }],
    vectorCount: 1,
    control,
    controlLength: control.length,
    flags: 0,
  };
}

/** sockaddr_un of an abstract name, which begins with a zero byte. */
function addressOf(name: string): Buffer {
  return Buffer.concat([Buffer.from([AF_UNIX, 0, 0]), Buffer.from(`tremplin-${name}`)]);
}

function isTcp(fd: number): boolean {
  const domain = option(fd, SO_DOMAIN);
  return (domain === AF_INET || domain === AF_INET6) && option(fd, SO_TYPE) === SOCK_STREAM;
}

function option(fd: number, name: number): number {
  const value = [0];
  return calls.getsockopt(fd, SOL_SOCKET, name, value, [4]) < 0 ? -1 : (value[0] ?? -1);
}

import { isMainThread, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import koffi from "koffi";
import { closeRaw, lastError, libc, SOL_SOCKET } from "./raw-socket.ts";

/*
 * Runs in a thread of its own (socket-relay.ts), which waits in the kernel for whichever socket is ready. The bytes go
 * from socket to socket through a pipe, without coming here.
 */

export interface RelayOrder {
  /** Relays between two sockets; owns their descriptors from now on. */
  readonly add?: { readonly id: number; readonly one: number; readonly other: number };
  /** Resets both sockets of a pair. */
  readonly reset?: number;
  readonly stop?: true;
}

/** A pair has ended, and its descriptors are closed. */
export interface RelayEnd {
  readonly ended: number;
}

/** How the thread is started. `wake`: an event descriptor that counts up when there is an order. */
export interface RelayStart {
  readonly relayWake: number;
}

const { EAGAIN, EINTR } = koffi.os.errno;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLERR = 8;
const EPOLLRDHUP = 0x2000;
const EPOLLET = 0x80000000;
const SPLICE_MOVE_NONBLOCK = 3;
const O_NONBLOCK_CLOEXEC = 0o2004000;
const F_SETPIPE_SZ = 1031;
const SHUT_WR = 1;
const SO_LINGER = 13;

/** The structure is packed on this architecture alone. */
const isPacked = process.arch === "x64";
const EVENT_SIZE = isPacked ? 12 : 16;
const EVENT_DATA = isPacked ? 4 : 8;
const MAX_EVENTS = 256;

/** The most that one direction moves before others get their turn. */
const TURN_BYTES = 4 * 1024 * 1024;
const MOST_AT_ONCE = 1024 * 1024;
/** So many pipes hold that much; further ones what the kernel gives to every pipe, so that stalled readers cost little. */
const LARGE_PIPES = 16;

const calls = {
  epoll_create1: libc.func("int epoll_create1(int)"),
  epoll_ctl: libc.func("int epoll_ctl(int, int, int, const void*)"),
  epoll_wait: libc.func("int epoll_wait(int, void*, int, int)"),
  splice: libc.func("long splice(int, void*, int, void*, size_t, uint)"),
  pipe2: libc.func("int pipe2(_Out_ int*, int)"),
  fcntl: libc.func("int fcntl(int, int, ...)"),
  read: libc.func("long read(int, void*, size_t)"),
  shutdown: libc.func("int shutdown(int, int)"),
  setsockopt: libc.func("int setsockopt(int, int, int, const void*, uint)"),
};

interface Pipe {
  readonly out: number;
  readonly in: number;
  readonly isLarge: boolean;
}

interface Direction {
  readonly from: number;
  readonly to: number;
  /** Only while it holds bytes that `to` does not take yet. */
  pipe: Pipe | undefined;
  held: number;
  isEnding: boolean;
  isDone: boolean;
}

interface Pair {
  readonly id: number;
  readonly sockets: readonly [number, number];
  readonly directions: readonly [Direction, Direction];
}

/** `more`: its turn is over, though it could go on. */
type Progress = "waiting" | "more" | "done" | "broken";

class RelayLoop {
  readonly #wake: number;
  readonly #epoll = calls.epoll_create1(0o2000000) as number;
  readonly #events = Buffer.alloc(EVENT_SIZE * MAX_EVENTS);
  readonly #pairs = new Map<number, Pair>();
  readonly #unfinished = new Map<Direction, Pair>();
  readonly #idlePipes: Pipe[] = [];
  #largePipes = 0;
  #isStopped = false;

  constructor(wake: number) {
    this.#wake = wake;
    this.#watch(wake, 0, EPOLLIN);
  }

  run(): void {
    while (!this.#isStopped) {
      const timeout = this.#unfinished.size > 0 ? 0 : -1;
      const count = calls.epoll_wait(this.#epoll, this.#events, MAX_EVENTS, timeout) as number;
      if (count < 0 && lastError() !== EINTR) throw new Error(`epoll_wait failed with error ${lastError()}`);
      for (let index = 0; index < count; index++) this.#onEvent(index * EVENT_SIZE);
      for (const [direction, pair] of [...this.#unfinished]) this.#advance(pair, direction);
    }
    for (const pair of [...this.#pairs.values()]) this.#close(pair, true);
  }

  #onEvent(at: number): void {
    const events = this.#events.readUInt32LE(at);
    const id = this.#events.readUInt32LE(at + EVENT_DATA);
    const pair = this.#pairs.get(id);
    if (id === 0) this.#takeOrders();
    if (!pair) return;
    // Both directions may be concerned: one reads from the socket, the other writes to it.
    if (events & EPOLLERR) this.#close(pair, true);
    else for (const direction of pair.directions) this.#advance(pair, direction);
  }

  #takeOrders(): void {
    calls.read(this.#wake, Buffer.alloc(8), 8);
    for (;;) {
      const received = parentPort && receiveMessageOnPort(parentPort);
      if (!received) return;
      const { add, reset, stop } = received.message as RelayOrder;
      if (stop) this.#isStopped = true;
      if (add) this.#add(add.id, add.one, add.other);
      const pair = reset === undefined ? undefined : this.#pairs.get(reset);
      if (pair) this.#close(pair, true);
    }
  }

  #add(id: number, one: number, other: number): void {
    const direction = (from: number, to: number): Direction => {
      return { from, to, pipe: undefined, held: 0, isEnding: false, isDone: false };
    };
    const pair: Pair = {
      id,
      sockets: [one, other],
      directions: [direction(one, other), direction(other, one)],
    };
    this.#pairs.set(id, pair);
    // What is ready already is an event too.
    const events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    if (!pair.sockets.every((socket) => this.#watch(socket, id, events))) this.#close(pair, true);
  }

  #watch(fd: number, id: number, events: number): boolean {
    const event = Buffer.alloc(EVENT_SIZE);
    event.writeUInt32LE(events >>> 0, 0);
    event.writeUInt32LE(id, EVENT_DATA);
    return (calls.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, fd, event) as number) >= 0;
  }

  #advance(pair: Pair, direction: Direction): void {
    if (direction.isDone || !this.#pairs.has(pair.id)) return void this.#unfinished.delete(direction);
    const progress = this.#move(direction);
    if (progress === "more") this.#unfinished.set(direction, pair);
    else this.#unfinished.delete(direction);
    if (progress === "broken") this.#close(pair, true);
    else if (pair.directions.every(({ isDone }) => isDone)) this.#close(pair, false);
  }

  #move(direction: Direction): Progress {
    for (let moved = 0; moved < TURN_BYTES; ) {
      if (direction.held === 0 && !direction.isEnding) {
        const filled = this.#fill(direction);
        if (filled !== undefined) return filled;
      }
      while (direction.held > 0) {
        const pipe = direction.pipe as Pipe;
        const count = splice(pipe.out, direction.to, direction.held);
        if (count < 0) return lastError() === EAGAIN ? "waiting" : "broken";
        direction.held -= count;
        moved += count;
      }
      this.#release(direction);
      if (!direction.isEnding) continue;
      calls.shutdown(direction.to, SHUT_WR);
      direction.isDone = true;
      return "done";
    }
    return "more";
  }

  /** Takes bytes from the socket into a pipe. Undefined: go on with them, or with the end. */
  #fill(direction: Direction): Progress | undefined {
    direction.pipe ??= this.#idlePipes.pop() ?? this.#newPipe();
    if (!direction.pipe) return "broken";
    const count = splice(direction.from, direction.pipe.in, MOST_AT_ONCE);
    if (count > 0) {
      direction.held = count;
      return undefined;
    }
    const error = lastError();
    this.#release(direction);
    if (count < 0) return error === EAGAIN ? "waiting" : "broken";
    direction.isEnding = true;
    return undefined;
  }

  #newPipe(): Pipe | undefined {
    const ends = [0, 0];
    if ((calls.pipe2(ends, O_NONBLOCK_CLOEXEC) as number) < 0) return undefined;
    const [out, input] = ends as [number, number];
    const isLarge =
      this.#largePipes < LARGE_PIPES && (calls.fcntl(input, F_SETPIPE_SZ, "int", MOST_AT_ONCE) as number) > 0;
    if (isLarge) this.#largePipes++;
    return { out, in: input, isLarge };
  }

  /** An empty pipe is for whoever needs one next. */
  #release(direction: Direction): void {
    const { pipe } = direction;
    if (!pipe) return;
    direction.pipe = undefined;
    if (this.#idlePipes.length < LARGE_PIPES) this.#idlePipes.push(pipe);
    else this.#closePipe(pipe);
  }

  #closePipe(pipe: Pipe): void {
    if (pipe.isLarge) this.#largePipes--;
    closeRaw(pipe.out);
    closeRaw(pipe.in);
  }

  #close(pair: Pair, isReset: boolean): void {
    if (!this.#pairs.delete(pair.id)) return;
    for (const direction of pair.directions) {
      this.#unfinished.delete(direction);
      // What it may hold belongs to this pair.
      if (direction.pipe) this.#closePipe(direction.pipe);
    }
    for (const socket of pair.sockets) {
      if (isReset) calls.setsockopt(socket, SOL_SOCKET, SO_LINGER, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), 8);
      closeRaw(socket);
    }
    parentPort?.postMessage({ ended: pair.id } satisfies RelayEnd);
  }
}

function splice(from: number, to: number, bytes: number): number {
  return Number(calls.splice(from, null, to, null, bytes, SPLICE_MOVE_NONBLOCK));
}

/** The file of this module, for the thread. */
export const relayLoopUrl = import.meta.url;

const start = isMainThread ? undefined : (workerData as RelayStart | undefined);
if (start?.relayWake !== undefined) new RelayLoop(start.relayWake).run();

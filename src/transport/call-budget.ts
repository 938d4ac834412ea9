export interface CallLimits {
  /** Counted for each call at least: what its stream may have sent before anything is read. Bytes. */
  readonly bytesOfCall: number;
  /** All calls of one caller together. Bytes. */
  readonly bytesOfCaller: number;
  /** All calls of a server together. Bytes. */
  readonly bytesOfServer: number;
}

const MIB = 1024 * 1024;

export const callLimits: CallLimits = {
  bytesOfCall: 32 * 1024,
  bytesOfCaller: 64 * MIB,
  bytesOfServer: 128 * MIB,
};

interface Owner {
  bytes: number;
  readonly calls: Set<Held>;
}

interface Held {
  readonly owner: string;
  bytes: number;
  /** Ends the call, whose place is needed for others. */
  readonly giveWay: () => void;
}

/** What a call takes of the budget, until it is disposed of. */
export interface CallCharge extends Disposable {
  /** Counts what is kept of its requests now. False: there is no room. Bytes. */
  hold(bytes: number): boolean;
}

/**
 * Bounds the memory that calls take before they are answered: the bytes of their messages, however slowly these come.
 * A new call of a caller that uses up its part takes the place of its largest, of several the oldest; a message that
 * would use more is refused. Where all callers together use up the whole, the largest call of the caller that has the
 * most gives way, so nobody keeps others out.
 */
export class CallBudget {
  readonly #limits: CallLimits;
  readonly #owners = new Map<string, Owner>();
  #bytes = 0;

  constructor(limits: CallLimits = callLimits) {
    this.#limits = limits;
  }

  /** Counted now, of all callers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined: all callers have so many that there is no room for another call of this one. */
  begin(owner: string, giveWay: () => void): CallCharge | undefined {
    const call: Held = { owner, bytes: 0, giveWay };
    const known = this.#owners.get(owner);
    while (known && !this.#fits(known)) this.#endLargest(known);
    const hold = (bytes: number) => this.#hold(call, Math.max(bytes, this.#limits.bytesOfCall));
    return hold(0) ? { hold, [Symbol.dispose]: () => this.#end(call) } : undefined;
  }

  /** Why a caller is refused. */
  sentence(owner: string): string {
    const { bytesOfCall, bytesOfCaller } = this.#limits;
    return `the unanswered requests of ${owner} have no more room here: all of a caller may have ${sizeText(bytesOfCaller)}, and each counts ${sizeText(bytesOfCall)} at least; try again when some are answered`;
  }

  #hold(call: Held, bytes: number): boolean {
    const owner = this.#owners.get(call.owner) ?? { bytes: 0, calls: new Set<Held>() };
    const more = bytes - call.bytes;
    if (owner.bytes + more > this.#limits.bytesOfCaller || !this.#makeRoom(owner, more)) return false;
    this.#owners.set(call.owner, owner);
    owner.calls.add(call);
    owner.bytes += more;
    this.#bytes += more;
    call.bytes = bytes;
    return true;
  }

  #end(call: Held): void {
    const owner = this.#owners.get(call.owner);
    if (!owner?.calls.delete(call)) return;
    owner.bytes -= call.bytes;
    this.#bytes -= call.bytes;
    if (owner.calls.size === 0) this.#owners.delete(call.owner);
  }

  #makeRoom(asking: Owner, bytes: number): boolean {
    while (bytes > 0 && this.#bytes + bytes > this.#limits.bytesOfServer) {
      const heaviest = largestOf(this.#owners.values());
      if (!heaviest || heaviest.bytes <= asking.bytes + bytes) return false;
      this.#endLargest(heaviest);
    }
    return true;
  }

  /** Whether a caller may have one more call without more bytes than its part, or than others have. */
  #fits({ bytes, calls }: Owner): boolean {
    const { bytesOfCall, bytesOfCaller, bytesOfServer } = this.#limits;
    if (calls.size === 0) return true;
    const isHeaviest = (largestOf(this.#owners.values())?.bytes ?? 0) <= bytes + bytesOfCall;
    const isFull = this.#bytes + bytesOfCall > bytesOfServer;
    return bytes + bytesOfCall <= bytesOfCaller && !(isFull && isHeaviest);
  }

  #endLargest({ calls }: Owner): void {
    const call = largestOf(calls);
    if (!call) return;
    this.#end(call);
    call.giveWay();
  }
}

/** The first of the largest. */
function largestOf<T extends { readonly bytes: number }>(all: Iterable<T>): T | undefined {
  let largest: T | undefined;
  for (const each of all) if (!largest || each.bytes > largest.bytes) largest = each;
  return largest;
}

function sizeText(bytes: number): string {
  return bytes < MIB ? `${bytes / 1024} KiB` : `${bytes / MIB} MiB`;
}

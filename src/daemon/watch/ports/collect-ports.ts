import { setImmediate } from "node:timers/promises";

/** After so many milliseconds the rest of the daemon gets its turn. */
const TURN = 2;

interface Collected {
  /** Sorted, each once. */
  readonly ports: readonly number[];
  /** Milliseconds that it took, the turns of others left out. */
  readonly work: number;
}

/** Collects ports that come in pieces, however many, without keeping the rest of the daemon from its work. */
export async function collectPorts(pieces: Iterable<readonly number[]>): Promise<Collected> {
  const ports = new Set<number>();
  let work = 0;
  // Of many containers, each may be little work.
  await setImmediate();
  let start = performance.now();
  for (const piece of pieces) {
    for (const port of piece) ports.add(port);
    const turn = performance.now() - start;
    if (turn < TURN) continue;
    // A piece is little work: a turn that took long was one in which other programs had the processor.
    work += Math.min(turn, 2 * TURN);
    await setImmediate();
    start = performance.now();
  }
  work += Math.min(performance.now() - start, 2 * TURN);
  return { ports: [...ports].sort((a, b) => a - b), work };
}

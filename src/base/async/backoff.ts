/**
 * How long to wait before each next try, in milliseconds: starts at `first`, doubles, stays at `most`.
 * Endless: whoever draws from it decides when to stop.
 */
export function* backoff(first: number, most: number): Generator<number, never, void> {
  for (let wait = first; ; wait = Math.min(wait * 2, most)) yield wait;
}

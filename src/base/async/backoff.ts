/** The delays before each further attempt: `first`, then always twice the one before, at most `most`. Without end. */
export function* backoff(first: number, most: number): Generator<number, never, void> {
  for (let wait = first; ; wait = Math.min(wait * 2, most)) yield wait;
}

import { setTimeout as delay } from "node:timers/promises";

/**
 * For what tells nobody when it comes: looks until it is there and gives it. Throws after the limit in
 * milliseconds. What announces itself is waited for by its announcement instead.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  limit = 30_000,
): Promise<T> {
  for (const end = Date.now() + limit; ; await delay(50)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${what} did not come in ${limit} ms`);
  }
}

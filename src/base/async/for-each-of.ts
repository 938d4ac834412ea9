/**
 * Does the work for every item, for at most `limit` of them at the same time. Rejects with the first failure; no work
 * is begun after it.
 */
export async function forEachOf<Item>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  let hasFailed = false;
  const next = () => (hasFailed ? undefined : waiting.next());
  const workOn = async (): Promise<void> => {
    for (let each = next(); each && !each.done; each = next()) {
      await work(each.value).catch((error) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: limit }, workOn));
}

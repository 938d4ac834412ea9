/** Items together with those behind them, until they weigh enough. Keeps their order; the last batch may be lighter. */
export async function* batches<T>(
  source: AsyncIterable<T>,
  enough: number,
  weigh: (item: T) => number,
): AsyncGenerator<T[], void, void> {
  let batch: T[] = [];
  let weight = 0;
  for await (const item of source) {
    batch.push(item);
    weight += weigh(item);
    if (weight < enough) continue;
    yield batch;
    [batch, weight] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** A part of a text for whoever looks for a fault. Of a long one the end is kept: it tells the most. */
export interface DebugSection {
  readonly title: string;
  readonly text: string;
}

/** Puts the sections one after the other, at most `mostBytes` of UTF-8: what short ones leave the long ones share. */
export function debugText(sections: readonly DebugSection[], mostBytes: number): string {
  const parts = sections.map(({ title, text }) => ({
    head: Buffer.from(`== ${title}\n`),
    body: Buffer.from(`${text.trimEnd()}\n\n`),
  }));
  const heads = parts.reduce((sum, { head }) => sum + head.length, 0);
  const share = fairShare(
    parts.map(({ body }) => body.length),
    mostBytes - heads,
  );
  return Buffer.concat(parts.flatMap(({ head, body }) => [head, lastLines(body, share)])).toString();
}

/** How much each may have so that no more than the total is given out and nobody could have more. */
export function fairShare(sizes: readonly number[], total: number): number {
  let left = Math.max(0, total);
  for (const [index, size] of [...sizes].sort((a, b) => a - b).entries()) {
    const share = Math.floor(left / (sizes.length - index));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

/** The whole lines at the end of a text, as many as fit. */
export function lastLines(text: Buffer, mostBytes: number): Buffer {
  if (text.length <= mostBytes) return text;
  const end = text.subarray(text.length - mostBytes);
  const newline = end.indexOf("\n");
  return newline < 0 ? Buffer.alloc(0) : end.subarray(newline + 1);
}

import { lastLines } from "./log-tail.ts";

/** A part of the diagnostics. Of a long one the end is kept: it says most. */
export interface DebugSection {
  readonly title: string;
  readonly text: string;
}

/** Joins the sections to at most `maxBytes` of UTF-8. Long sections share the bytes that short ones do not need. */
export function debugText(sections: readonly DebugSection[], maxBytes: number): string {
  const parts = sections.map(({ title, text }) => ({
    head: Buffer.from(`== ${title}\n`),
    body: Buffer.from(`${text.trimEnd()}\n\n`),
  }));
  const heads = parts.reduce((sum, { head }) => sum + head.length, 0);
  const share = fairShare(
    parts.map(({ body }) => body.length),
    maxBytes - heads,
  );
  return Buffer.concat(parts.flatMap(({ head, body }) => [head, lastLines(body, share)])).toString();
}

/** The largest limit per size that keeps the sum of all sizes within the total. */
export function fairShare(sizes: readonly number[], total: number): number {
  let left = Math.max(0, total);
  for (const [index, size] of [...sizes].sort((a, b) => a - b).entries()) {
    const share = Math.floor(left / (sizes.length - index));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

const BLOCK_BYTES = 512;
/** Where the header of a member has the sum of its bytes. */
const SUM = { at: 148, length: 8 };

/** Whether these bytes begin with the header of a tar member, of any version of the format: its sum must be right. */
export function isTarHeader(head: Buffer): boolean {
  if (head.length < BLOCK_BYTES) return false;
  const expected = Number.parseInt(fieldText(head, SUM.at, SUM.length), 8);
  const header = Buffer.from(head.subarray(0, BLOCK_BYTES)).fill(" ", SUM.at, SUM.at + SUM.length);
  const bytes = [...header];
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  // Some old programs added the bytes as signed numbers.
  const signed = bytes.reduce((total, byte) => total + ((byte << 24) >> 24), 0);
  return expected === sum || expected === signed;
}

/** The name of the first member, after its extended headers (pax and GNU). */
export function firstMemberName(archive: Buffer): string {
  let rest = archive;
  while (isTarHeader(rest) && /^[xgXLKV]$/.test(fieldText(rest, 156, 1))) {
    const size = Number.parseInt(fieldText(rest, 124, 12), 8) || 0;
    rest = rest.subarray(BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES);
  }
  return isTarHeader(rest) ? fieldText(rest, 0, 100) : "";
}

/** The text of a header field, up to a NUL. */
function fieldText(header: Buffer, offset: number, length: number): string {
  const [text = ""] = header.toString("latin1", offset, offset + length).split("\0");
  return text;
}

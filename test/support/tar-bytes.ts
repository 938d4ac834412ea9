/** A raw archive member, also one that no program would write. */
export interface RawMember {
  readonly name: string;
  /** The type flag: "0" file (default), "1" hard link, "2" symbolic link, "3" and "4" devices, "5" folder, "6" pipe. */
  readonly type?: string;
  readonly link?: string;
  readonly content?: string | Buffer;
  /** Major and minor number. */
  readonly device?: readonly [number, number];
  /** Overrides the size of the content. */
  readonly size?: number;
}

/** An archive of these members (POSIX.1-1988), with its end mark. */
export function tarBytes(members: readonly RawMember[]): Buffer {
  return Buffer.concat([...members.map(memberBytes), Buffer.alloc(1024)]);
}

function memberBytes({
  name,
  type = "0",
  link = "",
  content = "",
  device = [0, 0],
  size,
}: RawMember): Buffer {
  const data = Buffer.from(content as string);
  const header = Buffer.alloc(512);
  const field = (text: string, offset: number): void => void header.write(text, offset, "latin1");
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  field(name, 0);
  field(octal(type === "5" ? 0o755 : 0o644, 7), 100);
  for (const offset of [108, 116]) field(octal(0, 7), offset);
  field(octal(size ?? data.length, 11), 124);
  field(octal(1_700_000_000, 11), 136);
  field(" ".repeat(8), 148);
  field(type, 156);
  field(link, 157);
  field("ustar\x0000", 257);
  for (const index of [0, 1] as const) field(octal(device[index], 7), 329 + 8 * index);
  const sum = header.reduce((total, byte) => total + byte, 0);
  field(`${octal(sum, 6)}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

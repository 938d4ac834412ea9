import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { letAnybodyBeNobody } from "../../../test/support/let-anybody-be-nobody.ts";
import { execute } from "../../../test/support/system-state.ts";
import { type RawMember, tarBytes } from "../../../test/support/tar-bytes.ts";
import { findExecutable } from "../../base/processes/find-executable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { detectArchiveFormat } from "./archive-format.ts";
import { type BackupMetadata, parseBackupMetadata } from "./backup-metadata.ts";
import { EngineDevices } from "./engine-devices.ts";
import { MemberRules } from "./member-rules.ts";
import { readMetadata } from "./read-metadata.ts";
import { streamVerified } from "./stream-verified.ts";

const { signal } = new AbortController();
const YAML = "architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: tiny}\n";
const members: readonly RawMember[] = [
  { name: "metadata.yaml", content: YAML },
  { name: "rootfs/", type: "5" },
  { name: "rootfs/file", content: "content" },
  { name: "rootfs/link", type: "1", link: "rootfs/file" },
];

let folder: string;

before(async () => {
  await letAnybodyBeNobody();
  folder = await mkdtemp(join(tmpdir(), "foreign-archives-"));
  await mkdir(join(folder, "tree/rootfs"), { recursive: true });
  await writeFile(join(folder, "tree/metadata.yaml"), YAML);
  await writeFile(join(folder, "tree/rootfs/file"), "content");
  await execute("truncate", ["-s", "1M", join(folder, "tree/rootfs/sparse")]);
});
after(() => rm(folder, { recursive: true }));

/** Reads a file as an import does that only checks it. */
async function readFile(path: string): Promise<BackupMetadata> {
  await using file = await open(path);
  const format = await detectArchiveFormat(file);
  const metadata = parseBackupMetadata(await readMetadata(file, format, signal), 0);
  const stream = { format, isDecompressed: false, rules: new MemberRules(new EngineDevices()), signal };
  for await (const _ of streamVerified(file, {
    ...stream,
    onPlain: () => undefined,
    onPacked: () => undefined,
  }));
  return metadata;
}

async function readBytes(bytes: Buffer): Promise<BackupMetadata> {
  await writeFile(join(folder, "bytes"), bytes);
  return await readFile(join(folder, "bytes"));
}

async function assertRead(bytes: Buffer): Promise<void> {
  assert.equal((await readBytes(bytes)).architecture, "x86_64");
}

/** What a program makes of its standard input. */
async function packedBy(command: string, bytes: Buffer): Promise<Buffer> {
  await writeFile(join(folder, "plain"), bytes);
  await execute("sh", ["-ec", `${command} < plain > packed`], { cwd: folder });
  await using file = await open(join(folder, "packed"));
  return await file.readFile();
}

/** A frame that zstd and lz4 skip. */
function skippable(length: number): Buffer {
  const frame = Buffer.alloc(8 + length);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(length, 4);
  return frame;
}

/** A zstd frame with an uncompressed block, and a window of that logarithm. */
function withWindow(log: number, bytes: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 0, 0, 0]);
  header.writeUIntLE(1 | (bytes.length << 3), 6, 3);
  return Buffer.concat([header, bytes]);
}

/** The beginning of an lzma file that needs 3 GiB to be unpacked. */
function withDictionary(): Buffer {
  const unknownSize = Buffer.alloc(8, 0xff);
  return Buffer.concat([Buffer.from([0x5d, 0, 0, 0, 0xc0]), unknownSize, Buffer.alloc(100)]);
}

const plain = tarBytes(members);
const half = plain.length / 2;
const parts = [plain.subarray(0, half), plain.subarray(half)] as const;

const packings: Readonly<Record<string, () => Buffer | Promise<Buffer>>> = {
  "gzip in several members, with zeros behind them": () =>
    Buffer.concat([...parts.map((part) => gzipSync(part)), Buffer.alloc(10_240)]),
  "zstd in several frames": () => Buffer.concat(parts.map((part) => zstdCompressSync(part))),
  "zstd behind frames to be skipped, as pzstd does it": () =>
    Buffer.concat([skippable(4), zstdCompressSync(parts[0]), skippable(0), zstdCompressSync(parts[1])]),
  "zstd with a window of 512 MiB": () => withWindow(29, plain),
  "xz in several streams": async () =>
    Buffer.concat([await packedBy("xz -0", parts[0]), await packedBy("xz -0 -T2", parts[1])]),
  lzma: () => packedBy("xz --format=lzma -0", plain),
  bzip2: () => packedBy("bzip2", plain),
  lz4: () => packedBy("lz4", plain),
  "lz4 of the old format": () => packedBy("lz4 -l", plain),
};
for (const [what, pack] of Object.entries(packings)) {
  test(`a backup packed with ${what} is read`, async (t) => {
    const [program = ""] = what.split(" ");
    if (["bzip2", "lz4"].includes(program) && !(await findExecutable(program))) {
      return t.skip(`${program} is not installed`);
    }
    await assertRead(await pack());
  });
}

for (const options of [
  "--format=v7",
  "--format=oldgnu",
  "--format=gnu --sparse",
  "--format=ustar",
  "--format=posix --sparse",
  "--format=posix --sparse --sparse-version=0.1",
  "--format=posix --pax-option=comment=deadbeef",
  "--format=gnu --label=penguin",
  "--format=gnu --incremental",
]) {
  test(`an archive of tar ${options} is read`, async () => {
    for (const names of ["metadata.yaml rootfs", "./metadata.yaml ./rootfs", ".", "rootfs ./metadata.yaml"]) {
      await execute("sh", ["-ec", `tar ${options} -cf ../made.tar ${names}`], { cwd: join(folder, "tree") });
      assert.equal((await readFile(join(folder, "made.tar"))).architecture, "x86_64", names);
    }
  });
}

test("an archive of a Mac's tar is read", async () => {
  const attribute = " LIBARCHIVE.xattr.com.apple.quarantine=MDA4Mw==\n";
  const attributes: RawMember = {
    name: "PaxHeader/x",
    type: "x",
    content: `${attribute.length + 2}${attribute}`,
  };
  const double = (name: string): RawMember => ({ name: `./._${name}`, content: "\0\x05\x16\x07" });
  const mac = members.flatMap((member) => [attributes, { ...member, name: `./${member.name}` }]);
  await assertRead(
    tarBytes([double("metadata.yaml"), ...mac.slice(0, 2), double("rootfs"), ...mac.slice(2)]),
  );
});

const refused: Readonly<Record<string, readonly [bytes: Buffer, reason: RegExp]>> = {
  "a window of 1 GiB": [
    withWindow(30, plain),
    /packed with a window of 1 GiB, .* 768 MiB .* repack it, .*`zstd -dc --long=31/,
  ],
  "a window of 2 GiB": [withWindow(31, plain), /packed with a window of 2 GiB, .* repack it/],
  "two compressions": [gzipSync(zstdCompressSync(plain)), /with gzip is compressed a second time, with zstd/],
  "a compressed text": [gzipSync("text"), /what is compressed in it with gzip is no tar archive/],
  "a compressed zip": [gzipSync("PK\x03\x04 zip"), /what is compressed in it with gzip is a zip file/],
  "nothing compressed": [gzipSync(""), /not a backup: it is empty/],
  "only zeros": [Buffer.alloc(10_000), /it is full of zeros/],
  "a file of the engine's export": [
    tarBytes([{ name: "backup/index.yaml", content: "a" }]),
    /engine's own `export`/,
  ],
  "a root file system": [
    tarBytes([{ name: "./bin/", type: "5" }]),
    /root file system by itself; put it into a folder/,
  ],
  "an image of Docker": [
    tarBytes([{ name: "manifest.json", content: "a" }]),
    /it is an image of Docker or OCI/,
  ],
  "a dictionary of 3 GiB": [
    withDictionary(),
    /packed with a very large dictionary, .* repack it, .*`xz -dc OLD/,
  ],
  "a damaged header": [
    Buffer.concat([plain.subarray(0, 20), Buffer.from("x"), plain.subarray(21)]),
    /is damaged/,
  ],
  encryption: [Buffer.from("age-encryption.org/v1\n"), /it is encrypted with age/],
};
for (const [what, [bytes, reason]] of Object.entries(refused)) {
  test(`${what} is refused in a sentence`, () => assert.rejects(readBytes(bytes), { message: reason }));
}

test("a backup that is cut or changed anywhere is read, or refused in a sentence", async () => {
  const whole = [plain, gzipSync(plain), zstdCompressSync(plain), await packedBy("xz -0", plain)];
  const anywhere = fc.nat(9999).map((share) => share / 10_000);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(whole.length - 1),
      fc.option(anywhere),
      fc.array(fc.tuple(anywhere, fc.nat(255)), { maxLength: 5 }),
      async (which, cut, changes) => {
        const bytes = whole[which] ?? plain;
        const damaged = Buffer.from(bytes.subarray(0, Math.ceil(bytes.length * (cut ?? 1))));
        for (const [at, value] of changes) damaged[Math.floor(at * damaged.length)] = value;
        await readBytes(damaged).catch((error) => {
          assert.ok(error instanceof TremplinError, error);
          assert.match(error.message, /^the (backup|file)/, error.message);
          assert.doesNotMatch(error.message, /tar: |zstd: |xz: |gzip: |ended with|Zod|undefined|\n/);
        });
      },
    ),
    { numRuns: 60 },
  );
});

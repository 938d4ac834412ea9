import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import type { Image } from "../../../src/engine/resources/images.ts";
import type { InstanceMetadata } from "../../../src/engine/resources/instance.ts";

/** An image as the engine holds it. */
export interface ImageRecord {
  readonly fingerprint: string;
  readonly file: Buffer;
  readonly filename: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly metadata: InstanceMetadata;
  /** The texts of its templates by their names. */
  readonly templates: Readonly<Record<string, string>>;
  /** The files of a new instance. */
  readonly files?: Readonly<Record<string, string>>;
  readonly cached: boolean;
  readonly uploadedAt: string;
  /** The server that it was downloaded from. */
  readonly updateSource?: { readonly server: string; readonly alias: string };
}

/** Reads an image of one file, or of metadata and rootfs one behind the other. Throws for what is none. */
export function readImage(
  parts: readonly Buffer[],
  about: Pick<ImageRecord, "filename" | "uploadedAt"> & { readonly properties?: Record<string, string> },
): ImageRecord {
  const members = parts.map(membersOf);
  const yaml = members[0]?.get("metadata.yaml");
  if (yaml === undefined) throw new Error("Metadata tarball is missing metadata.yaml");
  const metadata = parse(yaml.toString()) as InstanceMetadata;
  const all = [...members.flatMap((each) => [...each])];
  const under = (folder: string) =>
    Object.fromEntries(
      all
        .filter(([path]) => path.startsWith(`${folder}/`))
        .map(([path, content]) => [path.slice(folder.length), content.toString()]),
    );
  const rootfs = parts.length > 1 ? Object.fromEntries(members[1] ?? []) : under("rootfs");
  const templates = Object.entries(under("templates")).map(([path, text]) => [path.slice(1), text]);
  return {
    ...about,
    fingerprint: fingerprintOf(parts),
    file: Buffer.concat(parts),
    properties: { ...metadata.properties, ...about.properties },
    metadata: { ...metadata, expiry_date: metadata.expiry_date ?? 0, templates: metadata.templates ?? null },
    templates: Object.fromEntries(templates),
    files: Object.fromEntries(Object.entries(rootfs).map(([path, content]) => [path, String(content)])),
    cached: false,
  };
}

export function viewImage(image: ImageRecord, aliases: ReadonlyMap<string, string>): Image {
  const { fingerprint, filename, file, properties, metadata, cached, uploadedAt } = image;
  return {
    fingerprint,
    filename,
    properties,
    cached,
    architecture: metadata.architecture,
    size: file.length,
    aliases: [...aliases]
      .filter(([, target]) => target === fingerprint)
      .map(([name]) => ({ name, description: "" })),
    auto_update: false,
    public: false,
    profiles: ["default"],
    expires_at: "1970-01-01T00:00:00Z",
    created_at: uploadedAt,
    uploaded_at: uploadedAt,
    ...(image.updateSource && { update_source: image.updateSource }),
  };
}

function fingerprintOf(parts: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The plain files of a tar archive, packed with gzip or not, by their paths. */
function membersOf(packed: Buffer): Map<string, Buffer> {
  const tar = packed.readUInt16BE() === 0x1f8b ? gunzipSync(packed) : packed;
  const members = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= tar.length; ) {
    const header = tar.subarray(at, at + 512);
    const field = (from: number, length: number) =>
      header.toString("latin1", from, from + length).split("\0")[0] ?? "";
    if (header[0] === 0) break;
    if (field(257, 5) !== "ustar") throw new Error("tar: This does not look like a tar archive");
    const size = Number.parseInt(field(124, 12), 8);
    const content = tar.subarray(at + 512, at + 512 + size);
    if (field(156, 1) === "0") members.set(field(0, 100).replace(/^\.\//, ""), content);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}

import { tarBytes } from "../tar-bytes.ts";
import type { Holdings } from "./holdings.ts";
import { type ImageRecord, readImage, viewImage } from "./image-record.ts";
import type { MemoryOperation } from "./operations.ts";
import { jsonBody, Refusal, type RestRequest, type Route, reply, type Work, work } from "./rest.ts";

interface PublishBody {
  readonly source: { readonly name: string };
  readonly aliases: readonly { readonly name: string }[];
  readonly properties: Record<string, string>;
}

/** Images: uploaded, made of snapshots, named, fetched and deleted. */
export function imageRoutes(held: Holdings): Route[] {
  return [
    reply("GET", "/1.0/images", () => ({
      metadata: [...held.images.values()].map((image) => viewImage(image, held.aliases)),
    })),
    work("POST", "/1.0/images", (request) =>
      isJson(request) ? publish(held, request) : upload(held, request),
    ),
    reply("GET", "/1.0/images/aliases/:name", ({ params }) => {
      const target = held.aliases.get(params.name ?? "");
      if (target === undefined) throw new Refusal(404, "Image alias not found");
      return { metadata: { name: params.name, target, description: "", type: "container" } };
    }),
    reply("POST", "/1.0/images/aliases", (request) => {
      const { name, target } = jsonBody<{ name: string; target: string }>(request);
      if (held.aliases.has(name)) throw new Refusal(409, `Alias "${name}" already exists`);
      held.aliases.set(name, held.image(target).fingerprint);
      return {};
    }),
    reply("DELETE", "/1.0/images/aliases/:name", ({ params }) => {
      if (!held.aliases.delete(params.name ?? "")) throw new Refusal(404, "Image alias not found");
      return {};
    }),
    reply("GET", "/1.0/images/:fingerprint", ({ params }) => {
      const view = viewImage(held.image(params.fingerprint), held.aliases);
      return { metadata: view, version: view };
    }),
    reply("GET", "/1.0/images/:fingerprint/export", ({ params }) => ({
      raw: held.image(params.fingerprint).file,
    })),
    work("DELETE", "/1.0/images/:fingerprint", ({ params }) => {
      const { fingerprint } = held.image(params.fingerprint);
      return {
        description: "Deleting image",
        resources: { images: [`/1.0/images/${fingerprint}`] },
        run() {
          held.images.delete(fingerprint);
          for (const [name, target] of held.aliases) if (target === fingerprint) held.aliases.delete(name);
        },
      };
    }),
  ];
}

/** Puts an image in, unless it is there already. */
function add(held: Holdings, image: ImageRecord, operation: MemoryOperation): void {
  const { fingerprint, file } = image;
  operation.update({ fingerprint, size: String(file.length) });
  if (held.images.has(fingerprint)) throw new Error("Image with same fingerprint already exists");
  held.images.set(fingerprint, image);
  held.events.lifecycle("image-created", `images/${fingerprint}`, { type: "container" });
}

function isJson({ headers }: RestRequest): boolean {
  return headers["content-type"] === "application/json";
}

function upload(held: Holdings, { headers, body }: RestRequest): Work {
  const parts = partsOf(String(headers["content-type"]), body);
  const properties = Object.fromEntries(new URLSearchParams(String(headers["x-lxd-properties"] ?? "")));
  const filename = String(headers["x-lxd-filename"] ?? "rootfs");
  return {
    description: "Downloading image",
    run(operation) {
      add(held, readImage(parts, { filename, properties, uploadedAt: held.times.next() }), operation);
    },
  };
}

function publish(held: Holdings, request: RestRequest): Work {
  const { source, aliases, properties } = jsonBody<PublishBody>(request);
  const [name, snapshot] = source.name.split("/");
  const found = held.instance(name).snapshots.find((each) => each.name === snapshot);
  if (!found) throw new Refusal(404, "Instance snapshot not found");
  return {
    description: "Downloading image",
    run(operation) {
      const { metadata, architecture, files } = found;
      const about = { ...metadata, architecture, creation_date: 1_700_000_000, properties };
      const members = [
        { name: "metadata.yaml", content: JSON.stringify(about) },
        ...files.texts().map(([path, content]) => ({ name: `rootfs${path}`, content })),
      ];
      const image = readImage([tarBytes(members)], { filename: "rootfs", uploadedAt: held.times.next() });
      add(held, image, operation);
      for (const alias of aliases) held.aliases.set(alias.name, image.fingerprint);
    },
  };
}

/** The files of a body, which are one or several. */
function partsOf(contentType: string, body: Buffer): Buffer[] {
  const boundary = /boundary=(\S+)$/.exec(contentType)?.[1];
  if (boundary === undefined) return [body];
  const mark = Buffer.from(`--${boundary}`);
  const parts: Buffer[] = [];
  for (let from = body.indexOf(mark); ; ) {
    const to = body.indexOf(mark, from + mark.length);
    if (to < 0) return parts;
    const start = body.indexOf("\r\n\r\n", from) + 4;
    parts.push(body.subarray(start, to - 2));
    from = to;
  }
}

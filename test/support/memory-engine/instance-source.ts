import type {
  InstanceCreate,
  InstanceMetadata,
  InstanceSource,
} from "../../../src/engine/resources/instance.ts";
import { FileTree } from "./file-tree.ts";
import type { Holdings } from "./holdings.ts";
import type { ImageRecord } from "./image-record.ts";
import { type Content, copyContent, type SnapshotRecord, volatileOfNew } from "./instance-record.ts";
import { Refusal } from "./rest.ts";

type NewContent = Content & { readonly snapshots: SnapshotRecord[] };

const noMetadata: InstanceMetadata = {
  architecture: "",
  creation_date: 0,
  expiry_date: 0,
  properties: null,
  templates: null,
};

/**
 * Where a new instance comes from. Throws what the API refuses at once; what is answered throws what the operation
 * fails with.
 */
export function contentOf(held: Holdings, body: InstanceCreate): () => NewContent {
  const { source } = body;
  if (source.type === "image") {
    const image = imageOf(held, source);
    return () => fromImage(image(), body);
  }
  if (source.type === "none") return () => fromImage(undefined, body);
  const copied = held.instance(source.source);
  return () => {
    const idMap = copied.config["volatile.last_state.idmap"];
    const snapshots = source.instance_only ? [] : copied.snapshots;
    return {
      ...copyContent(copied),
      ...settingsOf(body, []),
      // As in both engines, what the request leaves out is the source's.
      config: { ...withoutVolatile(copied.config), ...body.config, ...volatileOfNew(idMap) },
      devices: { ...copied.devices, ...body.devices },
      snapshots: snapshots.map((each) => ({ ...each, ...copyContent(each) })),
    };
  };
}

function imageOf(held: Holdings, source: InstanceSource & { type: "image" }): () => ImageRecord {
  const { alias, fingerprint, server } = source;
  if (server !== undefined) return () => fetched(held, alias ?? "");
  if (alias !== undefined) {
    const named = held.aliases.get(alias);
    if (named === undefined) throw new Refusal(404, "Image alias not found");
    return () => held.image(named);
  }
  return () => {
    const found = held.images.get(fingerprint ?? "");
    if (!found) throw new Error("Image not provided for instance creation");
    return found;
  };
}

/** An image of a server, kept by the engine from then on. */
function fetched(held: Holdings, alias: string): ImageRecord {
  const found = held.remoteImages.get(alias);
  if (!found) throw new Error("Failed getting remote image info: The requested image couldn't be found");
  const image = { ...found, cached: true };
  held.images.set(image.fingerprint, image);
  return image;
}

function fromImage(image: ImageRecord | undefined, body: InstanceCreate): NewContent {
  const { metadata, templates = {}, files = {} } = image ?? {};
  const properties = Object.entries(image?.properties ?? {});
  return {
    ...settingsOf(body, ["default"]),
    config: {
      ...Object.fromEntries(properties.map(([key, value]) => [`image.${key}`, value])),
      ...body.config,
      ...(image && { "volatile.base_image": image.fingerprint }),
      ...volatileOfNew(),
    },
    files: new FileTree(files),
    metadata: metadata ?? noMetadata,
    templates,
    snapshots: [],
  };
}

function settingsOf(body: InstanceCreate, profiles: readonly string[]) {
  return {
    architecture: body.architecture ?? "x86_64",
    devices: body.devices ?? {},
    profiles: body.profiles ?? profiles,
    ephemeral: body.ephemeral ?? false,
    description: body.description ?? "",
  };
}

function withoutVolatile(config: Content["config"]): Content["config"] {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith("volatile.")));
}

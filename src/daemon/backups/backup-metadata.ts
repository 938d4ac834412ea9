import * as z from "zod";
import { TremplinError } from "../../base/tremplin-error.ts";
import { parseHostileYaml } from "./parse-hostile-yaml.ts";
import { quoteName, splitMemberPath } from "./tar-member.ts";

/** An engine reads it whole into its memory. Bytes. */
export const MAX_METADATA_BYTES = 1024 * 1024;
/** No path that an engine could use is longer or deeper. */
const MAX_PATH_LENGTH = 1024;
const MAX_PATH_DEPTH = 32;
const MAX_TEMPLATES = 100;

const schema = z.looseObject({
  architecture: z.union([z.string(), z.bigint()]).transform(String),
  // An engine refuses an image without it, but only when it has all of it.
  creation_date: z.union([z.bigint().positive(), z.number().positive()]),
  // LXD 5.0.2 dies of an image that has none.
  properties: z.record(z.string(), z.unknown()),
  templates: z.record(z.string(), z.looseObject({ template: z.string() })).nullish(),
});

/** What of a backup's metadata.yaml something is decided by. */
export interface BackupMetadata {
  /** As it is written there. */
  readonly architecture: string;
  /** The files below rootfs that the engine writes from templates, as they are written there. */
  readonly targets: readonly string[];
  /** What the image says of itself, as far as it is text. */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Reads a metadata.yaml. Throws `invalid` for what is not one, and for templates by which an engine would read or
 * write outside of the container: it joins these paths to the container's folder as they are.
 */
export function parseBackupMetadata(text: string): BackupMetadata {
  let metadata: z.infer<typeof schema>;
  try {
    metadata = schema.parse(parseHostileYaml(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    const short = why.replace(/\s+/g, " ").slice(0, 300);
    throw new TremplinError("invalid", `the backup's metadata.yaml cannot be used: ${short}`, error);
  }
  checkTemplates(metadata.templates ?? {});
  const isText = (property: [string, unknown]): property is [string, string] =>
    typeof property[1] === "string";
  return {
    architecture: metadata.architecture,
    targets: Object.keys(metadata.templates ?? {}),
    properties: Object.fromEntries(Object.entries(metadata.properties).filter(isText)),
  };
}

/** Throws `invalid` for templates by which an engine would read or write outside of the container. */
export function checkTemplates(templates: Readonly<Record<string, { readonly template: string }>>): void {
  if (Object.keys(templates).length > MAX_TEMPLATES) {
    throw new TremplinError("invalid", `the backup has more than ${MAX_TEMPLATES} templates`);
  }
  for (const [target, { template }] of Object.entries(templates)) {
    const path = splitMemberPath(target.replace(/^\/+/, ""));
    if (path.length === 0 || path.length > MAX_PATH_DEPTH || target.length > MAX_PATH_LENGTH) {
      throw new TremplinError(
        "invalid",
        `the backup has a template for ${quoteName(target)}, which is no path`,
      );
    }
    if (
      template.startsWith("/") ||
      splitMemberPath(template).length === 0 ||
      template.length > MAX_PATH_LENGTH
    ) {
      throw new TremplinError(
        "invalid",
        `the backup has a template ${quoteName(template)}, which is no file`,
      );
    }
  }
}

/** A template's target as a path below rootfs, and all folders on the way to it. */
export function pathAndParents(target: string): string[] {
  const path = splitMemberPath(Buffer.from(target.replace(/^\/+/, "")).toString("latin1"));
  return path.map((_, index) => path.slice(0, index + 1).join("/"));
}

import * as z from "zod";
import { TremplinError } from "../../base/tremplin-error.ts";
import { parseHostileYaml } from "./parse-hostile-yaml.ts";
import { quoteName, splitMemberPath } from "./tar-member.ts";

/** Engines read the whole file into memory. */
export const MAX_METADATA_BYTES = 1024 * 1024;
/** Longer or deeper paths are useless to an engine. */
const MAX_PATH_LENGTH = 1024;
const MAX_PATH_DEPTH = 32;
const MAX_TEMPLATES = 100;

const schema = z.looseObject({
  architecture: z.union([z.string(), z.bigint()]).transform(String),
  // An engine rejects an image without it, but only after the whole upload.
  creation_date: z.union([z.bigint().positive(), z.number().positive()]),
  // LXD 5.0.2 crashes on an image without properties.
  properties: z.record(z.string(), z.unknown()),
  templates: z.record(z.string(), z.looseObject({ template: z.string() })).nullish(),
});

/** The parts of a backup's metadata.yaml that the daemon uses. */
export interface BackupMetadata {
  /** Not normalized. */
  readonly architecture: string;
  /** The files below rootfs that the engine writes from templates. Not normalized. */
  readonly targets: readonly string[];
  /** The image's properties with text values. */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Parses a metadata.yaml. Throws `invalid` if it is malformed, and for templates that would make an engine read or
 * write outside the container: engines join these paths to the container's folder unchecked.
 */
export function parseBackupMetadata(text: string): BackupMetadata {
  let metadata: z.infer<typeof schema>;
  try {
    metadata = schema.parse(parseHostileYaml(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    const short = reason.replace(/\s+/g, " ").slice(0, 300);
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

/** Throws `invalid` for templates that would make an engine read or write outside the container. */
export function checkTemplates(templates: Readonly<Record<string, { readonly template: string }>>): void {
  if (Object.keys(templates).length > MAX_TEMPLATES) {
    throw new TremplinError("invalid", `the backup has more than ${MAX_TEMPLATES} templates`);
  }
  for (const [target, { template }] of Object.entries(templates)) {
    const path = splitMemberPath(target.replace(/^\/+/, ""));
    if (path.length === 0 || path.length > MAX_PATH_DEPTH || target.length > MAX_PATH_LENGTH) {
      throw new TremplinError(
        "invalid",
        `the backup has a template for ${quoteName(target)}, which is not a path`,
      );
    }
    if (
      template.startsWith("/") ||
      splitMemberPath(template).length === 0 ||
      template.length > MAX_PATH_LENGTH
    ) {
      throw new TremplinError(
        "invalid",
        `the backup has a template ${quoteName(template)}, which is not a file`,
      );
    }
  }
}

/** A template's target as a path below rootfs, and all its parent folders. */
export function pathAndParents(target: string): string[] {
  const path = splitMemberPath(Buffer.from(target.replace(/^\/+/, "")).toString("latin1"));
  return path.map((_, index) => path.slice(0, index + 1).join("/"));
}

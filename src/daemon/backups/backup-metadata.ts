import { stringify } from "yaml";
import { TremplinError } from "../../base/tremplin-error.ts";
import { mendMetadata } from "./mend-metadata.ts";
import { parseHostileYaml } from "./parse-hostile-yaml.ts";
import { quoteName, splitMemberPath } from "./tar-member.ts";

/** Engines read the whole file into memory. */
export const MAX_METADATA_BYTES = 1024 * 1024;
/** Longer or deeper paths are useless to an engine. */
const MAX_PATH_LENGTH = 1024;
const MAX_PATH_DEPTH = 32;
const MAX_TEMPLATES = 100;

/** The parts of a backup's metadata.yaml that the daemon uses. */
export interface BackupMetadata {
  /** As the engines name it. */
  readonly architecture: string;
  /** The files below rootfs that the engine writes from templates. Not normalized. */
  readonly targets: readonly string[];
  /** The image's properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** The file as every engine reads it: its own text, unless something had to be mended. */
  readonly text: string;
  /** The names of the fields that no engine would have read. */
  readonly mended: readonly string[];
}

/**
 * Parses a metadata.yaml, also one that a person wrote by hand. Throws `invalid` if it cannot be used, and for templates
 * that would make an engine read or write outside the container: engines join these paths to the container's folder
 * unchecked. `now`: milliseconds since 1970.
 */
export function parseBackupMetadata(text: string, now: number): BackupMetadata {
  const { metadata, mended } = parse(text, now);
  const { architecture, properties, templates = {} } = metadata;
  checkTemplates(templates);
  return {
    architecture,
    targets: Object.keys(templates),
    properties,
    text: mended.length > 0 ? stringify(metadata) : text,
    mended,
  };
}

function parse(text: string, now: number): ReturnType<typeof mendMetadata> {
  try {
    return mendMetadata(parseHostileYaml(text), now);
  } catch (error) {
    const { message } = TremplinError.from(error);
    throw new TremplinError("invalid", `the backup's metadata.yaml cannot be used: ${message}`, error);
  }
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

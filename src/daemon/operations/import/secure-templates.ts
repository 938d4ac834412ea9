import { text } from "node:stream/consumers";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { type BackupMetadata, checkTemplates, pathAndParents } from "../../backups/backup-metadata.ts";
import type { OperationContext } from "../runner/operation.ts";

/** The tags with which a template includes files, which the engine would read from the disk of this machine. */
const INCLUDES_FILES = /\{%-?\s*(include|import|from|extends|ssi)\b/;

/**
 * Removes the templates of a new container that could write or read outside it. The engine writes templates as root at
 * the first start and follows symbolic links in their paths, such as one at /etc/hosts. Such a link need not be
 * malicious, so only the template is removed. `links` are the symbolic links in their paths. Throws `failed` when the
 * engine got other templates than those that were checked.
 */
export async function secureTemplates(
  engine: Engine,
  container: string,
  { targets, links }: Pick<BackupMetadata, "targets"> & { readonly links: ReadonlySet<string> },
  { signal, log }: OperationContext,
): Promise<void> {
  const { value } = await engine.instances.metadata(container, { signal });
  const templates = value.templates ?? {};
  checkTemplates(templates);
  if (Object.keys(templates).some((target) => !targets.includes(target))) {
    throw new TremplinError("failed", "the backup was changed while it was imported; import it again");
  }
  const bad = new Set<string>();
  for (const [target, { template }] of Object.entries(templates)) {
    const content = await engine.instances.template(container, template, { signal }).catch(ifMissing);
    const isBad =
      pathAndParents(target).some((path) => links.has(path)) ||
      (content && INCLUDES_FILES.test(await text(content)));
    if (isBad) bad.add(target);
  }
  if (bad.size === 0) return;
  log.warn({ templates: [...bad] }, "removed templates of the backup that lead out of the container");
  const kept = Object.entries(templates).filter(([target]) => !bad.has(target));
  await engine.instances.updateMetadata(
    container,
    (metadata) => ({ ...metadata, templates: Object.fromEntries(kept) }),
    { signal },
  );
}

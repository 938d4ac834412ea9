import { text } from "node:stream/consumers";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { type BackupMetadata, checkTemplates, pathAndParents } from "../../backups/backup-metadata.ts";
import type { OperationContext } from "../runner/operation.ts";

/** Tags by which a template takes in other files: the engine would read them from the disk of this machine. */
const takesInFiles = /\{%-?\s*(include|import|from|extends|ssi)\b/;

/**
 * Takes away the templates of a new container by which its maker could reach out of it. The engine writes templates
 * as root when a container first starts, through symbolic links: one that root of the container put in the way of
 * /etc/hosts would lead anywhere. Such a link can be there without malice, so only the template goes. `links` are
 * the symbolic links that lie on the ways to them. Throws `failed` when the engine got other templates than those
 * that were looked at.
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
      (content && takesInFiles.test(await text(content)));
    if (isBad) bad.add(target);
  }
  if (bad.size === 0) return;
  log.warn(
    { templates: [...bad] },
    "templates of the backup lead out of the container: the container gets none of them",
  );
  const kept = Object.entries(templates).filter(([target]) => !bad.has(target));
  await engine.instances.updateMetadata(
    container,
    (metadata) => ({ ...metadata, templates: Object.fromEntries(kept) }),
    { signal },
  );
}

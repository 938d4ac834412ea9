import { text } from "node:stream/consumers";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { FileSession } from "../../../engine/files/file-session.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { checkTemplates, pathAndParents } from "../../backups/backup-metadata.ts";
import type { OperationContext } from "../runner/operation.ts";

/** The tags with which a template includes files, which the engine would read from the disk of this machine. */
const INCLUDES_FILES = /\{%-?\s*(include|import|from|extends|ssi)\b/;

/** For the paths of all templates. */
const LOOK_LIMIT_MS = 60_000;

/**
 * Removes the templates of a new container that could write or read outside it. The engine writes templates as root at
 * the first start and follows symbolic links in their paths, such as one at /etc/hosts. Such a link need not be
 * malicious, so only the template is removed. The names in an archive do not show what becomes a link: a hard link to one
 * is one too, and a name may lead through another. So the unpacked files are asked. `targets` are the paths in the
 * backup; throws `failed` when the engine got other ones than those that were checked.
 */
export async function secureTemplates(
  engine: Engine,
  container: string,
  targets: readonly string[],
  { signal, log }: Pick<OperationContext, "signal" | "log">,
): Promise<void> {
  const { value } = await engine.instances.metadata(container, { signal });
  const templates = value.templates ?? {};
  checkTemplates(templates);
  if (Object.keys(templates).some((target) => !targets.includes(target))) {
    throw new TremplinError("failed", "the backup was changed while it was imported; import it again");
  }
  if (Object.keys(templates).length === 0) return;
  const bad = new Set<string>();
  using files = await engine.fileSession(container, { signal, timeoutMs: LOOK_LIMIT_MS });
  for (const [target, { template }] of Object.entries(templates)) {
    const content = await engine.instances.template(container, template, { signal }).catch(ifMissing);
    const isBad =
      (await leadsElsewhere(files, target)) || (content && INCLUDES_FILES.test(await text(content)));
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

/** Whether a link or a special file is on a template's path. The container has never run, so nothing changes it. */
async function leadsElsewhere(files: Pick<FileSession, "lstat">, target: string): Promise<boolean> {
  for (const path of pathAndParents(target)) {
    const found = await files.lstat(`/${path}`).catch(ifMissing);
    if (found?.type !== "directory") return found !== undefined && found.type !== "file";
  }
  return false;
}

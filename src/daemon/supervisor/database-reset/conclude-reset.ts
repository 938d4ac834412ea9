import type { ErrorLog } from "../../../base/files/json-file.ts";
import { readConfigBackup } from "../config-backup/config-backup.ts";
import { pickFrom } from "../config-backup/config-schema.ts";
import type { MissingItems } from "../config-backup/restore-log.ts";
import {
  readStillMissing,
  removeStillMissing,
  withStillMissing,
  writeStillMissing,
} from "../config-backup/still-missing.ts";
import { readWanted, removeWanted, wantedConfigFrom, writeWanted } from "../config-backup/wanted-config.ts";
import type { DatabaseReset } from "./database-reset.ts";

const UNRECORDED_LABEL = "what was not written down";

/** Saves what must be restored, before the old database is moved away. `incomplete`: why that is not everything. */
export async function recordMissing(
  reset: DatabaseReset,
  engineFolder: string,
  { incomplete, log }: { readonly incomplete: string | undefined; readonly log: ErrorLog },
): Promise<void> {
  const wanted = wantedConfigFrom(await readConfigBackup(engineFolder, log), incomplete);
  // Without any old database a person has deleted it and what was in it.
  const still = (await reset.hasOldFolders()) ? await readStillMissing(engineFolder, log) : undefined;
  await writeWanted(engineFolder, withStillMissing(wanted, still));
}

/**
 * Ends a reset whose new database works. The old database is deleted, unless something is missing that only it has.
 * Returns a remark for a person; empty when there is none.
 */
export async function concludeReset(
  reset: DatabaseReset,
  engineFolder: string,
  found: MissingItems,
  log: ErrorLog,
): Promise<string> {
  const { setup, earlier, incomplete } = await readWanted(engineFolder, log);
  const lasting = Object.entries(earlier).filter(([, lack]) => lack.lasting);
  const missing = new Map([...lasting, ...found]);
  const isUnrecorded = incomplete !== undefined && reset.replacesDatabase;
  if (isUnrecorded) missing.set(UNRECORDED_LABEL, { reason: incomplete, lasting: true });
  if (missing.size === 0) {
    await reset.discard();
    await removeStillMissing(engineFolder);
  } else {
    await writeStillMissing(engineFolder, {
      missing: Object.fromEntries(missing),
      setup: pickFrom(setup, (label) => missing.has(label)),
    });
    const isOld = [...missing.keys()].every((label) => Object.hasOwn(earlier, label));
    if (isOld && !isUnrecorded) await reset.discardNewest();
    else await reset.keep();
  }
  await removeWanted(engineFolder);
  return remarkOn(missing, engineFolder, await reset.kept());
}

function remarkOn(missing: MissingItems, folder: string, kept: readonly string[]): string {
  if (missing.size === 0) return "";
  const each = [...missing].map(([what, { reason }]) => `${what} (${reason})`);
  return `not restored: ${each.join("; ")}. Its files and the old database are kept in ${folder} (${kept.join(", ")}); see docs/recovery.md`;
}

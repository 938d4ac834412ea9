import { readConfigBackup } from "../config-backup/config-backup.ts";
import { pickFrom } from "../config-backup/config-schema.ts";
import type { Missing } from "../config-backup/missing.ts";
import {
  forgetStillMissing,
  readStillMissing,
  withStillMissing,
  writeStillMissing,
} from "../config-backup/still-missing.ts";
import { asWanted, forgetWanted, keepWanted, readWanted } from "../config-backup/wanted-config.ts";
import type { DatabaseReset } from "./database-reset.ts";

const UNRECORDED = "what was not written down";

/** Writes down what the new database must get, before the old one goes aside. `incomplete`: why that is not all. */
export async function recordMissing(
  reset: DatabaseReset,
  engineFolder: string,
  incomplete: string | undefined,
): Promise<void> {
  const wanted = asWanted(await readConfigBackup(engineFolder), incomplete);
  const still = await readStillMissing(engineFolder, await reset.kept());
  await keepWanted(engineFolder, withStillMissing(wanted, still));
}

/**
 * Ends a reset whose new database works: the old one goes when nothing is missing that it alone has. Answers what a
 * person should know.
 */
export async function concludeReset(
  reset: DatabaseReset,
  engineFolder: string,
  found: Missing,
): Promise<string> {
  const { setup, earlier, incomplete } = await readWanted(engineFolder);
  const lasting = Object.entries(earlier).filter(([, lack]) => lack.lasting);
  const missing = new Map([...lasting, ...found]);
  const isUnrecorded = incomplete !== undefined && reset.replacesDatabase;
  if (isUnrecorded) missing.set(UNRECORDED, { reason: incomplete, lasting: true });
  if (missing.size === 0) {
    await reset.discard();
    await forgetStillMissing(engineFolder);
  } else {
    await writeStillMissing(engineFolder, {
      missing: Object.fromEntries(missing),
      setup: pickFrom(setup, (label) => missing.has(label)),
    });
    const isOld = [...missing.keys()].every((label) => Object.hasOwn(earlier, label));
    if (isOld && !isUnrecorded) await reset.discardNewest();
    else await reset.keep();
  }
  await forgetWanted(engineFolder);
  return remarkOn(missing, engineFolder, await reset.kept());
}

function remarkOn(missing: Missing, folder: string, kept: readonly string[]): string {
  if (missing.size === 0) return "";
  const each = [...missing].map(([what, { reason }]) => `${what} (${reason})`);
  return `not brought back: ${each.join("; ")}. Its files and the old database are kept in ${folder} (${kept.join(", ")}); see docs/recovery.md`;
}

import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseEnv } from "node:util";
import { textIfReadable } from "../../base/files/files.ts";
import type { Logger } from "../../base/logger.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { expandPlaceholders, type Site } from "./site.ts";

/** What prepareSite found out about the machine. */
export interface PreparedSite {
  /** The host's milestone; undefined if the site has none, or its file does not contain one. */
  readonly milestone: string | undefined;
}

/** Creates the files of the site on this machine (docs/contract.md#paths). */
export async function prepareSite(
  site: Site,
  places: Readonly<Record<string, string>>,
  log: Logger,
): Promise<PreparedSite> {
  const milestone = await publishMilestone(site);
  await createClientFolder(site, places, log);
  return { milestone };
}

/** Writes the host's milestone to the file that containers see. */
async function publishMilestone({ milestone }: Site): Promise<string | undefined> {
  if (!milestone) return undefined;
  const values = parseEnv(await textIfReadable(milestone.file));
  const value = values[milestone.key];
  if (!value || !/^\d+$/.test(value)) return undefined;
  await mkdir(dirname(milestone.target), { recursive: true });
  await writeFile(milestone.target, value, { mode: 0o644 });
  return value;
}

/** Creates the folder for the settings of a user's engine client. It stays root's if there is no such user. */
async function createClientFolder(
  { clientFolder }: Site,
  places: Readonly<Record<string, string>>,
  log: Logger,
): Promise<void> {
  if (!clientFolder) return;
  const path = expandPlaceholders(clientFolder.path, places);
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
  const ids = await idsOf(clientFolder.owner);
  if (ids) await chown(path, ids.uid, ids.gid);
  else log.warn({ path, user: clientFolder.owner }, "there is no such user: the folder stays root's");
}

async function idsOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  const found = await runProgram("getent", ["passwd", user]).catch(() => undefined);
  const [, , uid, gid] = found?.split(":") ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

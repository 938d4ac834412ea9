import { chmod, chown, mkdir } from "node:fs/promises";
import type { Logger } from "../../base/logger.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { expand, type Site } from "./site.ts";

/**
 * The folder in which a person's engine client keeps its settings, where the site has one (behaviour.md 2.2, 3.4).
 * A machine without that user gets it all the same, owned by root, with a warning.
 */
export async function prepareClientFolder(
  { clientFolder }: Site,
  places: Readonly<Record<string, string>>,
  log: Logger,
): Promise<void> {
  if (!clientFolder) return;
  const path = expand(clientFolder.path, places);
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

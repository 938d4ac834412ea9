import { crosAptList, crosAptListPath } from "../../guest/cros-apt-list.ts";
import { readOsRelease } from "../../guest/read-os-release.ts";
import { replaceFile } from "../../guest/replace.ts";
import type { OperationDeps } from "../operation-deps.ts";

/** The newest release that the packages of the place are made for. */
const NEWEST = "bookworm";

/** What a container plants in its way must not hold up its start for long. Milliseconds. */
const TIME_LIMIT = 3_000;

/** Gives a Debian container the package list of the place, where the place has one (behaviour.md 4.7). */
export async function writeAptList(
  tools: OperationDeps,
  container: string,
  signal: AbortSignal,
): Promise<void> {
  if (!tools.site.crosAptList || tools.milestone === undefined) return;
  using files = await tools.engine().fileSession(container, { signal, timeoutMs: TIME_LIMIT });
  const list = crosAptList(await readOsRelease(files), Number(tools.milestone), NEWEST);
  if (list === undefined) return;
  await replaceFile(files, crosAptListPath, Buffer.from(list), { uid: 0, gid: 0, mode: 0o644 });
}

import { chmod, mkdtemp } from "node:fs/promises";

/** Which run of the tests this is: given by scripts/test, else the process itself. Base 36, at most 6 letters. */
export const testRun = process.env.TREMPLIN_TEST_RUN ?? process.pid.toString(36);

/** All folders of a run begin with it, so that whatever a run leaves behind can be told by its paths. */
export function folderPrefix(run = testRun): string {
  return `/var/tmp/tremplin-test-${run}-`;
}

/** All bridges of a run begin with it. */
export function bridgePrefix(run = testRun): string {
  return `tt${run}-`;
}

/** A new empty folder of this run; whoever makes it removes it. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(folderPrefix());
  // The root of a container, who is nobody out here, has to pass through.
  await chmod(folder, 0o711);
  return folder;
}

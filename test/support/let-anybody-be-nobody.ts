import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Programs that read backups run as nobody, for which one has to be root: without that they run as they are. */
export async function letAnybodyBeNobody(): Promise<void> {
  if (process.getuid?.() === 0) return;
  const folder = await mkdtemp(join(tmpdir(), "setpriv-"));
  const script = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n';
  await writeFile(join(folder, "setpriv"), script);
  await chmod(join(folder, "setpriv"), 0o755);
  process.env.PATH = `${folder}:${process.env.PATH}`;
}

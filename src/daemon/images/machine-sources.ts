import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AptSource } from "../guest/apt-source.ts";
import { readAptSources } from "../guest/apt-sources.ts";

/**
 * The enabled apt sources of this machine for binary packages. Files that this user may not read are left out: they
 * have passwords.
 */
export async function readMachineSources(aptFolder: string): Promise<AptSource[]> {
  const found = await Array.fromAsync(glob("sources.list.d/*.{list,sources}", { cwd: aptFolder }));
  // As apt does, names with other characters are ignored.
  const parts = found.filter((path) => /^sources\.list\.d\/[A-Za-z0-9_.-]+$/.test(path)).sort();
  const sources = await Promise.all(
    ["sources.list", ...parts].map(async (path) => {
      const content = await readFile(join(aptFolder, path)).catch(() => undefined);
      return content ? readAptSources(path, content) : [];
    }),
  );
  return sources.flat().filter(({ enabled, types }) => enabled && types.includes("deb"));
}

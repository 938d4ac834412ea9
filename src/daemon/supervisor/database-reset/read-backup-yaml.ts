import { lstat, readFile } from "node:fs/promises";
import { parseHostileYaml } from "../../backups/parse-hostile-yaml.ts";

/** No engine writes a larger one. Bytes. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * The backup.yaml that an engine keeps beside a container, as text and as what it says, within bounds: root of the
 * container may have had a hand in it. Throws for one that is missing, too large or no YAML.
 */
export async function readBackupYaml(file: string): Promise<{ text: string; content: unknown }> {
  const { size } = await lstat(file);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes, more than any engine writes`);
  const text = await readFile(file, "utf8");
  return { text, content: parseHostileYaml(text) };
}

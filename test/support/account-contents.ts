import type { Engine } from "../../src/engine/engine.ts";

export const accountFiles = ["passwd", "group", "shadow", "gshadow"];

/** The content of a container's account files and their backups (`passwd-`), by name; "" for a missing one. */
export async function accountContents(engine: Engine, container: string): Promise<Record<string, string>> {
  using files = await engine.fileSession(container);
  const names = accountFiles.flatMap((name) => [name, `${name}-`]);
  const read = (name: string) => files.read(`/etc/${name}`, 1_000_000).catch(() => "");
  const texts = await Promise.all(names.map(async (name) => [name, (await read(name)).toString()] as const));
  return Object.fromEntries(texts);
}

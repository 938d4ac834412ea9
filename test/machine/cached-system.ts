import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSystem } from "../../src/machine/build-system.ts";
import { repository } from "../support/repository.ts";

/** What the disk is made from: a change of these makes another. */
const recipe = ["build-system.ts", "guest-files.ts", "qemu-arguments.ts"];

/** The folder of a built system, from an earlier run where there is one. */
export async function cachedSystem(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of recipe) hash.update(await readFile(join(repository, "src/machine", name)));
  const cache = join(process.env.TREMPLIN_CACHE ?? tmpdir(), "machine");
  const system = join(cache, hash.digest("hex").slice(0, 16));
  await mkdir(cache, { recursive: true });
  const kept = await access(system).then(
    () => true,
    () => false,
  );
  if (kept) return system;
  for (const name of await readdir(cache)) await rm(join(cache, name), { recursive: true });
  for await (const _ of buildSystem(system, AbortSignal.timeout(600_000)));
  return system;
}

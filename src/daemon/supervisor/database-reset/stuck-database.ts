import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineProgram } from "../process/engine-program.ts";

/** An engine that works says within this time that it is ready, or something else than this. Milliseconds. */
const PATIENCE = 10_000;
const LOOK = 1_000;

interface Stuck {
  readonly program: EngineProgram;
  readonly folder: string;
  readonly lastWords: () => Promise<string>;
}

/**
 * Resolves once an engine that starts waits for ever for a database that is broken; else never. After a loss of
 * power its database layer (dqlite) sets what it cannot read aside, as `corrupt-...`, and then finds nobody to
 * lead what is left: the engine neither works nor ends.
 */
export async function isStuckOnDatabase(engine: Stuck, clock: Clock, signal: AbortSignal): Promise<void> {
  const begin = clock.elapsed();
  for (;;) {
    await clock.sleep(LOOK, signal);
    if (clock.elapsed() - begin < PATIENCE) continue;
    const names = await readdir(
      join(engine.folder, flavorOf(engine.program.kind).layout.globalDatabase),
    ).catch((): string[] => []);
    const aside = names.some((name) => name.startsWith("corrupt-"));
    if (aside && /no known leader/.test(await engine.lastWords())) return;
  }
}

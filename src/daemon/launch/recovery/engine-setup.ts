import { readFile } from "node:fs/promises";
import * as z from "zod";
import { replaceFile } from "../../../base/durable-file.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";

const config = z.record(z.string(), z.string());
const setupSchema = z.object({
  pools: z.array(z.object({ name: z.string(), driver: z.string(), config })),
  networks: z.array(z.object({ name: z.string(), type: z.string(), description: z.string(), config })),
  profiles: z.array(
    z.object({ name: z.string(), description: z.string(), config, devices: z.record(z.string(), config) }),
  ),
});

/** Lifecycle events that change it. */
const OF_SETUP = /^(network|profile|storage-pool)-(created|updated|renamed|deleted)$/;

/** What an engine's database holds that containers refer to and that no container carries with it. */
export type EngineSetup = z.infer<typeof setupSchema>;

/** Writes down what the engine has, for the day its database is lost. The file is beside the engine's folder. */
export async function recordSetup(engine: Engine, engineFolder: string, signal?: AbortSignal): Promise<void> {
  const [pools, networks, profiles] = await Promise.all([
    engine.pools.list({ signal }),
    engine.networks.list({ signal }),
    engine.profiles.list({ signal }),
  ]);
  const managed = networks.filter((network) => network.managed);
  const setup = setupSchema.parse({ pools, networks: managed, profiles });
  await replaceFile(fileOf(engineFolder), JSON.stringify(setup));
}

/** Writes it down now and after each change, whoever makes it, for as long as the client of the engine lives. */
export async function keepSetup(engine: Engine, engineFolder: string, log: Logger): Promise<void> {
  let writing = recordSetup(engine, engineFolder);
  let waiting = false;
  const changed = () => {
    if (waiting) return;
    waiting = true;
    writing = writing
      .then(() => {
        waiting = false;
        return recordSetup(engine, engineFolder);
      })
      .catch((error) =>
        log.warn({ error }, "a change of networks, profiles or pools is not written down yet"),
      );
  };
  const subscription = engine.events.subscribe({ types: ["lifecycle"], reconnected: changed }, (event) => {
    if (event.type === "lifecycle" && OF_SETUP.test(event.metadata.action)) changed();
  });
  await Promise.all([writing, subscription.ready]);
}

/** What was written down last; nothing when there is none that can be read. */
export async function readSetup(engineFolder: string): Promise<EngineSetup> {
  try {
    return setupSchema.parse(JSON.parse(await readFile(fileOf(engineFolder), "utf8")));
  } catch {
    return { pools: [], networks: [], profiles: [] };
  }
}

function fileOf(engineFolder: string): string {
  return `${engineFolder}.setup.json`;
}

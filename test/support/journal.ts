import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { identitySteps, recordIdentity } from "../../src/daemon/containers/container-identity.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
import { eventually } from "./eventually.ts";

type Steps = Readonly<Record<string, string>>;
type Place = Pick<TestDaemon, "folder">;

interface Entry {
  readonly kind: string;
  readonly container: string;
  readonly steps: Steps;
  readonly [key: string]: unknown;
}

export function journalFolder({ folder }: Place): string {
  return join(folder, "state/journal");
}

/** The entries of a daemon's journal at this moment. */
export async function journalEntries(daemon: Place): Promise<Entry[]> {
  const folder = journalFolder(daemon);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const texts = names.map((name) => readFile(join(folder, name), "utf8").catch(() => ""));
  return (await Promise.all(texts)).filter((text) => text !== "").map((text) => JSON.parse(text) as Entry);
}

/** Resolves once an operation has noted a step. */
export async function untilStep(daemon: Place, step: string): Promise<void> {
  await eventually(
    `the step ${step}`,
    async () => (await journalEntries(daemon)).some(({ steps }) => step in steps) || undefined,
  );
}

/** Resolves once nothing is left in it. */
export async function untilJournalEmpty(daemon: Place): Promise<void> {
  await eventually("an empty journal", async () => (await journalEntries(daemon)).length === 0 || undefined);
}

/** What the first step of an operation says of a container as it is now. */
export async function noted(engine: Engine, name: string): Promise<Steps> {
  const steps: Record<string, string> = {};
  const { value } = await engine.instances.get(name);
  await recordIdentity(
    engine,
    value,
    {
      step: async (step, identity) => {
        steps[step] = z.encode(identitySteps[step], identity);
      },
    },
    AbortSignal.timeout(10_000),
  );
  return steps;
}

/** Writes down an operation as a daemon that was killed in the middle of it leaves it. */
export async function leaveOperation(
  daemon: Place,
  entry: {
    readonly kind: string;
    readonly container: string;
    readonly steps: Steps;
    readonly id?: string;
    readonly startedAt?: number;
  },
): Promise<string> {
  const { id = "0123456789abcdef" } = entry;
  await mkdir(journalFolder(daemon), { recursive: true });
  const whole = { id, startedAt: Date.now(), request: { containerName: entry.container }, ...entry };
  await writeFile(join(journalFolder(daemon), `${id}.json`), JSON.stringify(whole));
  return id;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { ContainerActions } from "../../../../test/support/container-actions.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { MemoryEngine } from "../../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../../test/support/memory-engine/tiny-image-bytes.ts";
import { silentLogger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { ContainersToStart } from "./containers-to-start.ts";

type Options = ConstructorParameters<typeof ContainersToStart>[0];

/** Starts a container again that its engine left stopped. */
async function startedAgain(names: readonly string[], refused = ""): Promise<string[]> {
  await using memory = await MemoryEngine.open();
  await using engine = await memory.connect();
  const actions = new ContainerActions(engine, memory.addImage(tinyImageBytes()));
  for (const name of names) {
    await actions.create(name, { config: { "boot.autostart": "false" } });
    await actions.set(name, { "user.tremplin.autostart": "last" });
    if (!name.startsWith("never")) await actions.act(name, "start");
    // As an engine that ends leaves it: it remembers that it ran.
    Object.assign(memory.instance(name), { status: "Stopped", pid: 0 });
  }
  const begun: string[] = [];
  const runner = {
    begin: async (_kind: unknown, name: string) => {
      if (name === refused) throw new TremplinError("busy", "somebody has it");
      begun.push(name);
      await actions.act(name, "start");
    },
    outcome: async () => undefined,
  } as unknown as Options["runner"];
  const toStart = new ContainersToStart({
    runner,
    kinds: {} as Options["kinds"],
    ofSite: () => "off",
    shutdownSignal: new AbortController().signal,
    log: silentLogger,
  });
  await toStart.begin(engine);
  await eventually("all of them", async () => toStart.waiting.length === 0 || undefined);
  return begun;
}

test("what ran is started again in order, what never ran and what is not whole is not", async () => {
  assert.deepEqual(await startedAgain(["b", "a", "never-ran", "tremplin-create-0123456789abcdef"]), [
    "a",
    "b",
  ]);
});

test("one that cannot be started does not keep the others", async () => {
  assert.deepEqual(await startedAgain(["a", "b", "c"], "b"), ["a", "c"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationBench } from "../../test/support/operation-bench.ts";
import type { Engine } from "./engine.ts";

const ends: Readonly<Record<string, (engine: Engine) => unknown>> = {
  "shuts down": (engine) => engine.endSessions(),
  "is left": (engine) => engine[Symbol.asyncDispose](),
};

for (const [what, end] of Object.entries(ends)) {
  test(`a program whose output nobody reads ends when the engine ${what}`, async () => {
    await using bench = await OperationBench.open();
    await bench.actions.create("c1");
    await bench.actions.act("c1", "start");
    bench.engine.execute = () => new Promise(() => undefined);
    await using engine = await bench.engine.connect();
    await using session = await engine.exec("c1", { command: ["yes"] });
    await end(engine);
    await assert.rejects(session.exitCode, { code: "unavailable" });
    await assert.rejects(engine.exec("c1", { command: ["yes"] }), { code: "unavailable" });
    await assert.rejects(engine.fileSession("c1"), { code: "unavailable" });
  });
}

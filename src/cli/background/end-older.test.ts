import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Command } from "commander";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { type EngineFlags, withEngineFlags } from "../flags/daemon-flags.ts";
import type { HostApi } from "../host-client/host-api.ts";
import { noProgress } from "../progress/progress.ts";
import { endOlder } from "./end-older.ts";
import { daemonArguments, hostArguments } from "./launch.ts";
import { isAlive } from "./process-record.ts";
import { RunFolder } from "./run-folder.ts";

const program = [process.execPath, "-e", "setInterval(() => {}, 1000)", "--"];
const defaults = withEngineFlags(new Command()).parse([], { from: "user" }).opts<EngineFlags>();

/** Programs of an earlier version that run with these options, and what a later `up` with others does to them. */
async function upAfter(t: TestContext, earlier: object, later: object) {
  const folder = await mkdtemp(join(tmpdir(), "end-older-"));
  t.after(() => rm(folder, { recursive: true }));
  const run = new RunFolder(folder);
  const flags = { ...defaults, ...earlier };
  // Without those that it does not know.
  const daemon = await run.daemon.start(program, daemonArguments(run, flags).slice(0, -2));
  const host = await run.host.start(program, hostArguments(run, flags, "people"));
  t.after(() => [daemon, host].filter(isAlive).map(({ pid }) => process.kill(pid, "SIGKILL")));
  const api = {
    call: ({ name }: { name: string }) =>
      Promise.resolve(
        name === "ListGuests"
          ? { guests: [{ name: "local", reachable: true }] }
          : { version: "0.0.1", operations: [] },
      ),
  } as unknown as HostApi;
  const said = await endOlder(api, run, { ...defaults, ...later }, noProgress, new RecordedIo());
  return { said, goOn: [isAlive(daemon), isAlive(host)] };
}

test("an earlier daemon and its host are ended only by an up with the same options", async (t) => {
  const own = { state: "/data/t", engine: "incus", bridge: "x" };
  for (const [earlier, later] of [
    [{}, {}],
    [own, own],
  ] as const) {
    const { said, goOn } = await upAfter(t, earlier, later);
    assert.match(said ?? "", /start again, the containers keep running/);
    assert.deepEqual(goOn, [false, false]);
  }
  for (const [earlier, later] of [
    [own, {}],
    [{}, own],
    [{ console: "none" }, {}],
  ] as const) {
    const { said, goOn } = await upAfter(t, earlier, later);
    assert.match(
      said ?? "",
      /^version 0\.0\.1 of the daemon is older .* runs with other options .* tremplin down/,
    );
    assert.deepEqual(goOn, [true, true]);
  }
  assert.match((await upAfter(t, own, {})).said ?? "", /--state \/data\/t .*--engine incus --bridge x/);
});

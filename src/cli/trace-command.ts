import { follow, observed } from "../base/observed.ts";
import { version } from "../daemon/version.ts";
import { openTraces } from "../telemetry/traces/open-traces.ts";

/** These run for months, and trace the calls that they answer. */
const servers = ["daemon", "host"];

/** Runs a command, in a trace of its own where traces are wanted. */
export async function traceCommand(name: string, work: () => Promise<unknown>): Promise<void> {
  if (servers.includes(name)) return void (await work());
  await using _traces = await openTraces("tremplin", version);
  await follow(observed.command, { name }, work);
}

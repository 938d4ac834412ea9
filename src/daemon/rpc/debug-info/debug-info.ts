import { textIfReadable } from "../../../base/files/files.ts";
import { errorMessage } from "../../../base/tremplin-error.ts";
import { flavors } from "../../../engine/flavors/flavors.ts";
import type { Instance } from "../../../engine/resources/instance.ts";
import { expandPlaceholders } from "../../sites/site.ts";
import { type EngineState, isUsable } from "../../supervisor/engine-state.ts";
import type { RpcDeps } from "../rpc.ts";
import { containerSection } from "./container-section.ts";
import { type DebugSection, debugText } from "./debug-text.ts";
import { tailOfFile } from "./log-tail.ts";
import { maskSecrets } from "./mask-secrets.ts";

/** Hosts put it into reports as it is. */
const MAX_BYTES = 1024 * 1024;

/**
 * The state of the daemon and of its engine, and the ends of the logs of the engine and of every container, with
 * secrets masked. A part that cannot be read says so in its place.
 */
export async function collectDebugInfo(deps: RpcDeps, signal: AbortSignal): Promise<string> {
  const sections = [daemonSection(deps), engineSection(deps), ...(await engineLogs(deps))];
  const secrets: string[] = [];
  if (isUsable(deps.supervisor.state)) {
    const engine = deps.engine.running();
    try {
      const instances = await engine.instances.list({ signal });
      const containers = instances.map((each) => containerSection(deps, engine, each, signal));
      sections.push(...(await Promise.all(containers)));
      secrets.push(...(await secretsOf(deps, instances)));
    } catch (error) {
      sections.push({ title: "containers", text: `they cannot be listed: ${errorMessage(error)}` });
    }
  }
  const masked = sections.map(({ title, text }) => ({ title, text: maskSecrets(text, secrets) }));
  return debugText(masked, MAX_BYTES);
}

function daemonSection(deps: RpcDeps): DebugSection {
  const { version, startedAt, site, runner, notices, clock } = deps;
  const now = clock.now();
  const operations = runner.locks.all().map(({ kind, container, startedAt: begun }) => {
    const seconds = Math.round((now - begun) / 1000);
    return `under way: ${kind}${container ? ` of ${container}` : ""}, for ${seconds} s`;
  });
  const lines = [
    `version ${version}, site ${site.name}`,
    `up since ${startedAt.toISOString()}, Node ${process.version}, ${process.memoryUsage().rss} bytes of memory`,
    ...(operations.length > 0 ? operations : ["nothing is under way"]),
    `${notices.queue.length} notices wait for the host`,
  ];
  return { title: "daemon", text: lines.join("\n") };
}

/** The sentences say LXD for Incus too: hosts know no other name (docs/contract.md#before-the-engine-runs). */
function engineSection({ supervisor }: RpcDeps): DebugSection {
  const { state } = supervisor;
  if (!isUsable(state)) return { title: "engine", text: whyNotRunning(state) };
  const { kind, version, kernelVersion, storageDrivers, clustered } = state.engine.info;
  const what = `${kind} ${version}, kernel ${kernelVersion}, storage ${storageDrivers.join(" ")}`;
  return { title: "engine", text: `running: ${what}${clustered ? ", clustered" : ""}` };
}

function whyNotRunning(state: EngineState): string {
  if (state.status === "stopped") return "LXD is not running: StartLxd was not called";
  if (state.status === "failed") return `LXD is not running: launching it failed: ${state.error.message}`;
  return "LXD is not running yet: it is starting";
}

/** The log of a managed engine, of either flavor. */
async function engineLogs({ supervisor }: RpcDeps): Promise<DebugSection[]> {
  const logs = flavors.map(async ({ kind }) => {
    const path = `${supervisor.folder(kind)}.log`;
    const text = await tailOfFile(path);
    return text === undefined ? [] : [{ title: `log of the engine, ${path}`, text }];
  });
  return (await Promise.all(logs)).flat();
}

/** The tokens and keys that the daemon keeps for containers. */
async function secretsOf({ site, places }: RpcDeps, instances: readonly Instance[]): Promise<string[]> {
  const paths = instances.flatMap(({ name }) =>
    site.bindMounts.map(({ source }) => expandPlaceholders(source, { ...places, name })),
  );
  return await Promise.all(paths.map((path) => textIfReadable(path)));
}

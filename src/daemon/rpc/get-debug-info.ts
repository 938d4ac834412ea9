import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { textIfReadable } from "../../base/files/files.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { GetDebugInfoRequest } from "../../contract/tremplin_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { flavors } from "../../engine/flavors/flavors.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { expand } from "../sites/site.ts";
import { isUsable } from "../supervisor/engine-state.ts";
import { type DebugSection, debugText, lastLines } from "./debug-text.ts";
import type { GuestServiceDeps } from "./guest-service.ts";
import { maskSecrets } from "./mask-secrets.ts";

/** Hosts put it into reports as it is. */
const MOST_BYTES = 1024 * 1024;
/** Of one log, before it is known how much each may have. */
const MOST_OF_A_LOG = 512 * 1024;
/** For what one container has to tell. Milliseconds. */
const TIME_LIMIT = 5_000;

/**
 * behaviour.md 5.17, 12 item 48: what the daemon and its engine are up to, and the ends of the logs of the engine
 * and of every container. Without secrets, as far as they can be told. What cannot be read is said in its place.
 */
export function getDebugInfo(tools: GuestServiceDeps) {
  return async (_request: GetDebugInfoRequest, { signal }: HandlerContext) => {
    const { supervisor } = tools;
    const sections = [daemonSection(tools), engineSection(tools), ...(await engineLogs(tools))];
    const secrets: string[] = [];
    if (isUsable(supervisor.state)) {
      const engine = tools.engine();
      try {
        const instances = await engine.instances.list({ signal });
        const containers = instances.map((each) => containerSection(tools, engine, each, signal));
        sections.push(...(await Promise.all(containers)));
        secrets.push(...(await secretsOf(tools, instances)));
      } catch (error) {
        sections.push({ title: "containers", text: `they cannot be listed: ${errorMessage(error)}` });
      }
    }
    const masked = sections.map(({ title, text }) => ({ title, text: maskSecrets(text, secrets) }));
    return { debugInformation: debugText(masked, MOST_BYTES) };
  };
}

function daemonSection({
  version,
  daemonId,
  startedAt,
  site,
  runner,
  outbox,
  clock,
}: GuestServiceDeps): DebugSection {
  const now = clock.now();
  const operations = runner.locks.all().map(({ kind, container, startedAt: begun }) => {
    const seconds = Math.round((now - begun) / 1000);
    return `under way: ${kind}${container ? ` of ${container}` : ""}, for ${seconds} s`;
  });
  const lines = [
    `version ${version}, id ${daemonId}, site ${site.name}`,
    `up since ${startedAt.toISOString()}, Node ${process.version}, ${process.memoryUsage().rss} bytes of memory`,
    ...(operations.length > 0 ? operations : ["nothing is under way"]),
    `${outbox.waiting} notices wait for the host`,
  ];
  return { title: "daemon", text: lines.join("\n") };
}

function engineSection({ supervisor }: GuestServiceDeps): DebugSection {
  const { state } = supervisor;
  const text = {
    stopped: () => "LXD is not running: nobody has asked for it",
    starting: () => "LXD is not running yet: it is starting",
    resetting: () => "LXD is not running yet: it is starting",
    recovering: () => "LXD is not running yet: it is starting",
    running: () => "running",
    restarting: () => "running",
    failed: () => `LXD is not running: launching it failed: ${"error" in state ? state.error.message : ""}`,
  }[state.status]();
  if (!isUsable(state)) return { title: "engine", text };
  const { kind, version, kernelVersion, storageDrivers, clustered } = state.engine.info;
  const what = `${kind} ${version}, kernel ${kernelVersion}, storage ${storageDrivers.join(" ")}`;
  return { title: "engine", text: `${text}: ${what}${clustered ? ", clustered" : ""}` };
}

/** What an engine that the daemon launched has written. */
async function engineLogs({ supervisor }: GuestServiceDeps): Promise<DebugSection[]> {
  const logs = flavors.map(async ({ kind }) => {
    const path = `${supervisor.folder(kind)}.log`;
    const text = await endOfFile(path);
    return text === undefined ? [] : [{ title: `log of the engine, ${path}`, text }];
  });
  return (await Promise.all(logs)).flat();
}

async function containerSection(
  { runner }: GuestServiceDeps,
  engine: Engine,
  { name, status, created_at, last_used_at, expanded_config: config }: Instance,
  outer: AbortSignal,
): Promise<DebugSection> {
  const about = [
    `${status}, created ${created_at}, last started ${last_used_at}`,
    `under way: ${runner.locks.holder(name)?.kind ?? "nothing"}`,
    `privileged: ${config["security.privileged"] === "true" ? "yes" : "no"}`,
  ];
  const late = () => new TremplinError("failed", `nothing came within ${TIME_LIMIT / 1000} s`);
  using limit = new TimeLimit(TIME_LIMIT, late, [outer]);
  try {
    const log = await engine.instances.log(name, "lxc.log", { signal: limit.signal }).catch(ifMissing);
    about.push(log ? `lxc.log:\n${await endOfStream(log)}` : "it has no lxc.log");
  } catch (error) {
    about.push(`its lxc.log cannot be read: ${errorMessage(error)}`);
  }
  return { title: `container ${name}`, text: about.join("\n") };
}

/** What the daemon itself keeps for containers: their tokens and keys. */
async function secretsOf(
  { site, places }: GuestServiceDeps,
  instances: readonly Instance[],
): Promise<string[]> {
  const paths = instances.flatMap(({ name }) =>
    site.bindMounts.map(({ source }) => expand(source, { ...places, name })),
  );
  return await Promise.all(paths.map((path) => textIfReadable(path)));
}

async function endOfFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const start = Math.max(0, size - MOST_OF_A_LOG);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MOST_OF_A_LOG), position: start });
    return wholeLines(buffer.subarray(0, bytesRead), start > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return `it cannot be read: ${errorMessage(error)}`;
  }
}

async function endOfStream(stream: Readable): Promise<string> {
  let end = Buffer.alloc(0);
  let isCut = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    end = Buffer.concat([end, chunk]);
    isCut ||= end.length > MOST_OF_A_LOG;
    end = end.subarray(-MOST_OF_A_LOG);
  }
  return wholeLines(end, isCut);
}

/** A line that is cut may be a secret without the word that tells so. */
function wholeLines(text: Buffer, isCut: boolean): string {
  return (isCut ? lastLines(text, text.length - 1) : text).toString();
}

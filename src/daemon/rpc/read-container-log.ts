import type { Readable } from "node:stream";
import type { HandlerContext } from "@connectrpc/connect";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { checkContainerName } from "../../base/container-name.ts";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import type { ReadContainerLogRequest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { getContainer } from "../containers/find-container.ts";
import type { RpcDeps } from "./rpc.ts";

const DEFAULT_LINES = 200;
const MAX_LINES = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;
/** A container must not be able to delay the answer for longer. */
const TIME_LIMIT_MS = 30_000;
/** The exit code that engines report for a program that the container does not have. */
const NO_SUCH_PROGRAM = 127;

/** The log of the system in a container, or the engine's of its last start (docs/daily.md#logs). */
export function readContainerLog({ engine: access }: Pick<RpcDeps, "engine">) {
  return async (request: ReadContainerLogRequest, { signal: outer }: HandlerContext) => {
    const { containerName: name, boot, lines } = request;
    checkContainerName(name);
    if (lines > MAX_LINES)
      throw new TremplinError("invalid", `at most ${MAX_LINES} lines can be read at once`);
    const late = () =>
      new TremplinError("failed", `the log of ${name} could not be read within ${TIME_LIMIT_MS / 1000} s`);
    using limit = new TimeLimit(TIME_LIMIT_MS, late, [outer]);
    const { signal } = limit;
    const engine = access.running();
    const { status_code } = await getContainer(engine, name, signal);
    const count = lines || DEFAULT_LINES;
    if (boot) return { text: lastLines(await bootLog(engine, name, signal), count) };
    if (status_code !== instanceStatus.running) {
      throw new TremplinError(
        "failed",
        `${name} does not run, so its log cannot be read: start it, or see how its last start went (tremplin logs ${name} --boot)`,
      );
    }
    return { text: await systemLog(engine, name, count, signal) };
  };
}

async function systemLog(engine: Engine, name: string, lines: number, signal: AbortSignal): Promise<string> {
  const command = ["journalctl", "--no-pager", "--quiet", "--lines", String(lines)];
  const { exitCode, stdout, stderr } = await engine.execCapture(name, command, {
    signal,
    maxBytes: MAX_BYTES,
  });
  if (exitCode === 0) return stdout;
  const why =
    exitCode === NO_SUCH_PROGRAM
      ? "it has no journalctl (systemd), so its log is where its own system writes it, often /var/log"
      : `journalctl ended with ${exitCode}: ${stderr.trim().slice(0, 300)}`;
  throw new TremplinError("failed", `the log of ${name} cannot be read: ${why}`);
}

/** The engine's account of the start, then what the container wrote to its console. */
async function bootLog(engine: Engine, name: string, signal: AbortSignal): Promise<string> {
  // A container that never ran has no log. Not every engine keeps a console, and each says that in other words.
  const started = await engine.instances.log(name, "lxc.log", { signal }).then(tailOf).catch(ifMissing);
  const console = await engine.instances
    .consoleLog(name, { signal })
    .then(tailOf)
    .catch((error) => {
      signal.throwIfAborted();
      if (isUnavailable(error)) throw error;
    });
  const parts = [started && `from the engine:\n${started}`, console && `from the console:\n${console}`];
  const text = parts.filter(Boolean).join("\n");
  if (text === "")
    throw new TremplinError(
      "failed",
      `nothing is known of a start of ${name}: it was not started since the engine was, or all went well`,
    );
  return text;
}

async function tailOf(stream: Readable): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>)
    tail = Buffer.concat([tail, chunk]).subarray(-MAX_BYTES);
  return tail.toString();
}

function lastLines(text: string, count: number): string {
  return `${text.trimEnd().split("\n").slice(-count).join("\n")}\n`;
}

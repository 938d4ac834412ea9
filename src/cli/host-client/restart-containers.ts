import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../../contract/tremplin_pb.js";
import type { CallSettings, HostApi } from "./host-api.ts";
import { type Reply, runOperation } from "./run-operation.ts";
import type { Session } from "./session.ts";
import { startReply } from "./start-reply.ts";

const POLL_MS = 300;

/** What became of the containers that ran before something stopped all of them. */
export interface Restarted {
  readonly restarted: readonly string[];
  readonly notRestarted: readonly { readonly name: string; readonly reason: string }[];
}

/** The names of the running containers; undefined where the guest cannot say, because its engine does not run. */
export async function runningContainers(
  api: HostApi,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    const { containers } = await api.call(Guest.method.listContainers, {}, { signal });
    return containers.filter(({ state }) => state === "running").map(({ name }) => name);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Waits until the guest has started what is to run again after its engine was launched (docs/daily.md#autostart). */
export async function untilStartedAgain({ api, io, progress }: Session): Promise<Restarted> {
  const { clock, interrupted: signal } = io;
  const names = new Set<string>();
  for (;;) {
    const { containersToStart: waiting } = await api.call(Guest.method.getStatus, {}, { signal });
    for (const name of waiting) names.add(name);
    const [next] = waiting;
    if (next === undefined) break;
    progress.update(`${plainText(next)}, which ran before`);
    await clock.sleep(POLL_MS, signal);
  }
  if (names.size === 0) return { restarted: [], notRestarted: [] };
  const running = new Set(await runningContainers(api, signal));
  const reason = (name: string) => `tremplin history ${name} says why`;
  const notRestarted = [...names]
    .filter((name) => !running.has(name))
    .map((name) => ({ name, reason: reason(name) }));
  for (const { name, reason: why } of notRestarted)
    progress.print(`${plainText(name)} ran before and is stopped now: ${why}`);
  return { restarted: [...names].filter((name) => running.has(name)), notRestarted };
}

/** Starts these containers, one after another, whatever becomes of the others. Prints what is not as it was. */
export async function restartContainers(session: Session, names: readonly string[]): Promise<Restarted> {
  const restarted: string[] = [];
  const notRestarted: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      await runOperation(session, {
        title: `starting ${name} again`,
        kind: "start",
        container: name,
        request: (api, settings) => requestStart(api, name, settings),
      });
      restarted.push(name);
    } catch (thrown) {
      const { code, message } = TremplinError.from(thrown);
      if (code === "cancelled") throw new TremplinError("cancelled", stoppedSentence(names, restarted));
      notRestarted.push({ name, reason: message });
      session.progress.print(
        `${name} ran before and is stopped now: ${message}; tremplin start ${name} tries again`,
      );
    }
  }
  return { restarted, notRestarted };
}

/** For an engine that could not say which containers ran. */
export async function remindOfStopped({ api, io, progress }: Session): Promise<void> {
  const { containers } = await api.call(Guest.method.listContainers, {}, { signal: io.interrupted });
  if (containers.length > 0)
    progress.print("containers that ran before are stopped now: tremplin start NAME starts one");
}

function stoppedSentence(names: readonly string[], restarted: readonly string[]): string {
  const left = names.filter((name) => !restarted.includes(name)).join(", ");
  return `interrupted; the database was reset, and these containers, which ran before, may be stopped: ${left}; tremplin start NAME starts one`;
}

async function requestStart(api: HostApi, containerName: string, settings: CallSettings): Promise<Reply> {
  return startReply(
    await api.call(Tremplin.method.startContainer, { containerName }, settings),
    "already running",
  );
}

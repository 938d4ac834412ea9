import { join } from "node:path";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import { FinalNotices } from "../../src/daemon/notices/final-notices.ts";
import { Journal } from "../../src/daemon/notices/journal.ts";
import { type Notice, notice } from "../../src/daemon/notices/notice.ts";
import { NoticeQueue } from "../../src/daemon/notices/notice-queue.ts";
import { RejectedNotices } from "../../src/daemon/notices/rejected-notices.ts";
import { Runner } from "../../src/daemon/operations/runner/runner.ts";
import { ManualClock } from "./manual-clock.ts";

interface TestRunnerOptions {
  /** The state folder. */
  readonly folder: string;
  /** What the host does with a notice: acknowledges it, or false: is unreachable. */
  readonly host: (notice: Notice, id: string) => boolean;
  readonly engineAnswers?: () => boolean;
  readonly log?: Logger;
}

/** A runner without kinds, in a state folder, and all that it needs for its notices. Dispose it before the next one. */
export async function testRunner({
  folder,
  host,
  engineAnswers = () => true,
  log = silentLogger,
}: TestRunnerOptions) {
  const clock = new ManualClock();
  const deliver = async (each: Notice, id: string) => {
    if (each.method === "tremplinReady" || host(each, id)) return { kind: "acknowledged" as const };
    return { kind: "unreachable" as const, reason: "unreachable" };
  };
  const queue = new NoticeQueue({ deliver, clock, log });
  const journal = await Journal.open(join(folder, "journal"), log);
  const rejected = await RejectedNotices.open({ folder: join(folder, "refused"), queue, clock, log });
  const finals = new FinalNotices({ journal, queue, rejected, clock, log });
  const runner = new Runner({
    journal,
    queue,
    finals,
    engineAnswers: async () => engineAnswers(),
    clock,
    log,
  });
  await queue.open({ id: "ready", orderingKey: "", notice: notice("tremplinReady", {}), final: true });
  return {
    runner,
    finals,
    rejected,
    clock,
    journal,
    async [Symbol.asyncDispose](): Promise<void> {
      await runner[Symbol.asyncDispose]();
      await queue[Symbol.asyncDispose]();
    },
  };
}

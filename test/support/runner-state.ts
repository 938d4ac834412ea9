import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import * as z from "zod";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import { flagText } from "../../src/base/text-codecs.ts";
import {
  ContainerStopProgress_Status as Status,
  StopContainerRequestSchema,
} from "../../src/contract/tremplin_pb.js";
import { FinalNotices } from "../../src/daemon/notices/final-notices.ts";
import { Journal } from "../../src/daemon/notices/journal.ts";
import type { Notice } from "../../src/daemon/notices/notice.ts";
import { NoticeQueue } from "../../src/daemon/notices/notice-queue.ts";
import { RejectedNotices } from "../../src/daemon/notices/rejected-notices.ts";
import type { OperationContext, OperationKind } from "../../src/daemon/operations/runner/operation.ts";
import { Runner } from "../../src/daemon/operations/runner/runner.ts";
import { ManualClock } from "./manual-clock.ts";

const steps = { aside: z.string(), saved: flagText };
export type StopKind = OperationKind<typeof StopContainerRequestSchema, "updateStopStatus", typeof steps>;
export type StopContext = OperationContext<typeof steps>;
type StopNotice = Notice<"updateStopStatus">;

/** Of the container c1. */
export const request = create(StopContainerRequestSchema, { containerName: "c1" });

/** A kind of operation that the test defines. */
export function kindOf(run: StopKind["run"], recover?: StopKind["recover"]): StopKind {
  return {
    name: "stop",
    request: StopContainerRequestSchema,
    notify: "updateStopStatus",
    steps,
    run,
    failed: (_request, error) => ({ status: Status.FAILED, failureReason: error.message }),
    cancelled: (_request, cause) => ({ status: Status.CANCELLED, failureReason: cause.message }),
    recover: recover ?? (async () => ({ status: Status.STOPPED })),
    interrupted: (_request, cause) => `${cause} while it stopped`,
  };
}

/** A state folder for one daemon after the other, and the notices that the host acknowledged from all of them. */
export async function runnerState() {
  const path = await mkdtemp(join(tmpdir(), "runner-"));
  const acknowledged: { readonly id: string; readonly notice: StopNotice }[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const daemons: { readonly runner: Runner; readonly queue: NoticeQueue }[] = [];
  const state = {
    path,
    isHostUnreachable: false,
    engineAnswers: true,
    acknowledged,
    statuses: () => acknowledged.map(({ notice }) => notice.message.status),
    reason: () => acknowledged[0]?.notice.message.failureReason,
    /** Resolves once the host has acknowledged so many notices. */
    notices(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (acknowledged.length >= count) resolve();
      return promise;
    },
    async daemon(kind: StopKind, log: Logger = silentLogger) {
      const clock = new ManualClock();
      const deliver = async (notice: Notice, id: string) => {
        if (state.isHostUnreachable) return { kind: "away" as const, reason: "away" };
        if (notice.method === "tremplinReady") return { kind: "taken" as const };
        acknowledged.push({ id, notice: notice as StopNotice });
        for (const { count, resolve } of waiting) if (acknowledged.length >= count) resolve();
        return { kind: "taken" as const };
      };
      const queue = new NoticeQueue({ deliver, clock, log });
      const journal = await Journal.open(path, log);
      const rejected = await RejectedNotices.open({ folder: `${path}-refused`, outbox: queue, clock, log });
      const finals = new FinalNotices({ journal, outbox: queue, refused: rejected, clock, log });
      const engineAnswers = async () => state.engineAnswers;
      const runner = new Runner({ journal, queue, finals, engineAnswers, clock, log });
      runner.add(kind);
      daemons.push({ runner, queue });
      const ready = { method: "tremplinReady", message: {} } as unknown as Notice;
      await queue.open({ id: "ready", orderingKey: "", notice: ready, final: true });
      const stop = async (): Promise<void> => {
        await runner[Symbol.asyncDispose]();
        await queue[Symbol.asyncDispose]();
      };
      return { runner, queue, finals, rejected, clock, journal, stop };
    },
    /** Nobody writes into the folder any more when it goes. */
    async [Symbol.asyncDispose]() {
      for (const { runner, queue } of daemons) {
        await runner[Symbol.asyncDispose]();
        await queue[Symbol.asyncDispose]();
      }
      await rm(path, { recursive: true });
      await rm(`${path}-refused`, { recursive: true, force: true });
    },
  };
  return state;
}

/** Resolves once nobody holds the lock of the container c1. */
export async function released({ locks }: Runner): Promise<void> {
  while (locks.holder("c1")) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once the lock of the container c1 has that obstacle. */
export async function obstacleOf({ locks }: Runner, obstacle: RegExp): Promise<void> {
  while (!obstacle.test(locks.holder("c1")?.obstacle ?? "")) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

import { mkdir, mkdtemp, rm } from "node:fs/promises";
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
import type { Notice } from "../../src/daemon/notices/notice.ts";
import type { OperationContext, OperationKind } from "../../src/daemon/operations/runner/operation.ts";
import type { Runner } from "../../src/daemon/operations/runner/runner.ts";
import { testRunner } from "./test-runner.ts";

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
  const folder = await mkdtemp(join(tmpdir(), "runner-"));
  const path = join(folder, "journal");
  await mkdir(path);
  const acknowledged: { readonly id: string; readonly notice: StopNotice }[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const daemons: AsyncDisposable[] = [];
  const state = {
    /** The folder of the journal. */
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
      const host = (notice: Notice, id: string): boolean => {
        if (state.isHostUnreachable) return false;
        acknowledged.push({ id, notice: notice as StopNotice });
        for (const { count, resolve } of waiting) if (acknowledged.length >= count) resolve();
        return true;
      };
      const daemon = await testRunner({ folder, host, engineAnswers: () => state.engineAnswers, log });
      daemon.runner.add(kind);
      daemons.push(daemon);
      return { ...daemon, stop: () => daemon[Symbol.asyncDispose]() };
    },
    /** Stops the daemons before the folder goes. */
    async [Symbol.asyncDispose]() {
      for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
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

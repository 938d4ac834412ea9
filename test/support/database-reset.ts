import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  StartLxdProgress_Status as Launched,
  StartLxdResponse_Status as Launching,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "./daemon.ts";

/** StartLxd until its end, which must be STARTED. Answers what is said although it is. */
export async function startLxd({ tremplin, listener }: TestDaemon, resetLxdDb = false): Promise<string> {
  const { status, failureReason } = await tremplin.startLxd({ resetLxdDb });
  assert.equal(status, Launching.STARTING, failureReason);
  const final = await listener.final("startLxd", "", 120_000);
  assert.equal(final.status, Launched.STARTED, final.failureReason);
  return final.failureReason;
}

/** What of a reset is kept in the state folder: old databases, and how far it is. */
export async function remainsOfReset({ folder }: TestDaemon): Promise<string[]> {
  const state = join(folder, "state");
  const names = [...(await readdir(join(state, "lxd"))), ...(await readdir(state))];
  return names.filter((name) => name.includes(".old") || name === "lxd.reset.json").sort();
}

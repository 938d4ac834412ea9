import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import type { TestDaemon } from "../support/daemon.ts";
import { RandomEnvironment } from "../support/random-environment.ts";
import { randomRound } from "../support/random-round.ts";
import { RandomSource } from "../support/random-source.ts";
import { RandomUser } from "../support/random-user.ts";
import { launchedDaemon } from "../support/tiny-container.ts";

/**
 * Random requests; the daemon, its engine or its host killed at a random instant; a user who goes on by hand; and
 * all come back. Whatever the user made is there, each accepted operation has one end, nothing of ours is left.
 *
 * TREMPLIN_RANDOM_SECONDS: how long. Default 60. TREMPLIN_RANDOM_SEED: the same decisions again; how far the work
 * had come at a kill differs. TREMPLIN_RANDOM_LOGS: a folder that gets the logs of daemon and engine in the end.
 */
const SECONDS = Number(process.env.TREMPLIN_RANDOM_SECONDS ?? 60);
const LOGS = process.env.TREMPLIN_RANDOM_LOGS;
const SEED = Number(process.env.TREMPLIN_RANDOM_SEED ?? Math.floor(Math.random() * 1e6));
/** How many rounds the story of a failure goes back. */
const ROUNDS_SHOWN = 2;

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
});
after(async () => {
  if (LOGS) {
    for (const name of ["daemon.log", "state/lxd.log"]) {
      await copyFile(join(daemon.folder, name), join(LOGS, basename(name)));
    }
  }
  await daemon?.[Symbol.asyncDispose]();
});

test(`random work, kills and acts by hand for ${SECONDS} s, seed ${SEED}: nothing of a user's is lost`, async (context) => {
  const stories: string[][] = [];
  const tell = (line: string): void => {
    stories.at(-1)?.push(line);
    if (process.env.TREMPLIN_RANDOM_TOLD) console.error(line);
  };
  const environment = new RandomEnvironment(daemon);
  await environment.begin();
  let rounds = 0;
  for (const end = Date.now() + SECONDS * 1000; Date.now() < end; rounds++) {
    stories.push([]);
    tell(`round ${rounds} at ${new Date().toISOString()}`);
    const random = new RandomSource(SEED * 1009 + rounds);
    const user = new RandomUser(daemon, random, { tell, round: rounds });
    const problems = await randomRound({ daemon, environment, user, random, tell }).catch((error) => [
      `the round broke off: ${error instanceof Error ? error.stack : error}`,
    ]);
    const story = stories.slice(-ROUNDS_SHOWN).flat().join("\n");
    assert.deepEqual(problems, [], `seed ${SEED}:\n${story}\n${problems.join("\n")}`);
  }
  context.diagnostic(`${rounds} rounds with the seed ${SEED}`);
});

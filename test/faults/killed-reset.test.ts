import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { StartLxdProgress_Status as Launched } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { remainsOfReset } from "../support/database-reset.ts";
import { engineOf } from "../support/engine-of.ts";
import { enginePid } from "../support/engine-pid.ts";
import { eventually } from "../support/eventually.ts";
import { engineCommand, engineQuery } from "../support/in-container.ts";
import { createThree, type ResetContents, readResetContents } from "../support/reset-fixture.ts";
import { launchedDaemon } from "../support/tiny-container.ts";
import { uploadTinyImage } from "../support/tiny-image.ts";

let daemon: TestDaemon;
let asItWas: ResetContents;
let holdings: unknown;

before(async () => {
  daemon = await launchedDaemon();
  await createThree(daemon);
  await engineCommand(daemon, "profile", "set", "default", "limits.processes", "900");
  // Before the pool keeps an image unpacked, which it does not need to go on.
  asItWas = await readResetContents(daemon);
  await using engine = await engineOf(daemon);
  await uploadTinyImage(engine);
  const lab = ["features.profiles=false", "features.images=false"].flatMap((feature) => ["-c", feature]);
  await engineCommand(daemon, "project", "create", "lab", ...lab);
  await engineCommand(daemon, "init", "tiny", "bench", "--project", "lab");
  await engineCommand(daemon, "config", "set", "user.note", "kept");
  holdings = await look();
});
after(() => daemon?.[Symbol.asyncDispose]());

/** What of the engine is no container, and is a person's. */
async function look(): Promise<unknown> {
  const images = (await engineQuery(daemon, "/1.0/images?recursion=1")) as {
    fingerprint: string;
    aliases: unknown;
    properties: unknown;
  }[];
  const { config } = (await engineQuery(daemon, "/1.0")) as { config: unknown };
  return {
    images: images.map(({ fingerprint, aliases, properties }) => ({ fingerprint, aliases, properties })),
    projects: await engineQuery(daemon, "/1.0/projects?recursion=1"),
    files: (await readdir(join(daemon.folder, "state/lxd/images"))).sort(),
    config,
  };
}

async function phase(): Promise<string> {
  const text = await readFile(join(daemon.folder, "state/lxd.reset.json"), "utf8").catch(() => "{}");
  return (JSON.parse(text) as { phase?: string }).phase ?? "none";
}

const newEngine = async () => ((await phase()) === "recovering" ? await enginePid(daemon) : undefined);

/** Instants of a reset that can be seen from outside. */
const instants: Record<string, () => Promise<unknown>> = {
  "when it was accepted": async () => true,
  "when the old database goes aside": async () => ((await phase()) === "none" ? undefined : true),
  "when the new engine begins": newEngine,
  "when the new engine answers": async () => {
    if (!(await newEngine().catch(() => undefined))) return undefined;
    return await engineQuery(daemon, "/1.0").catch(() => undefined);
  },
  "when a container is back": async () => {
    if (!(await newEngine().catch(() => undefined))) return undefined;
    const names = (await engineQuery(daemon, "/1.0/instances").catch(() => [])) as string[];
    return names.length > 0 ? true : undefined;
  },
};

/** The one final notice says STARTED, and everything is as it was. */
async function wentOn(): Promise<void> {
  const { status, failureReason } = await daemon.listener.final("startLxd", "", 120_000);
  assert.deepEqual([status, failureReason], [Launched.STARTED, ""]);
  // Killed at the very end it may not be back yet, and nobody has to say so any more.
  await eventually("the engine", () => engineQuery(daemon, "/1.0").catch(() => undefined));
  assert.deepEqual(await readResetContents(daemon), asItWas);
  assert.deepEqual(await look(), holdings);
  assert.deepEqual(await remainsOfReset(daemon), []);
}

for (const [when, reached] of Object.entries(instants)) {
  test(`the daemon killed ${when}: the next one goes on`, async () => {
    await daemon.tremplin.startLxd({ resetLxdDb: true });
    await eventually(when, () => reached().catch(() => undefined));
    await daemon.restart();
    await wentOn();
  });

  test(`the engine killed ${when}: it goes on with the next one`, async () => {
    await daemon.tremplin.startLxd({ resetLxdDb: true });
    await eventually(when, () => reached().catch(() => undefined));
    const pid = await enginePid(daemon).catch(() => undefined);
    if (pid !== undefined) process.kill(pid, "SIGKILL");
    await wentOn();
  });
}

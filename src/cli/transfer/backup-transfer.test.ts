import assert from "node:assert/strict";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import type { Session } from "../host-client/session.ts";
import { noProgress } from "../progress/progress.ts";
import { fetchBackup, sendBackup } from "./backup-transfer.ts";
import { TargetFile } from "./target-file.ts";

async function fixture(t: TestContext, api: object) {
  const folder = await mkdtemp(join(tmpdir(), "backup-transfer-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "web.tar.gz");
  await writeFile(file, "the old one");
  const session = { api, io: new RecordedIo(), progress: noProgress, json: false } as unknown as Session;
  return { file, session };
}

test("a backup of which not all bytes arrive replaces nothing", async (t) => {
  for (const totalBytes of [10n, 2n]) {
    const stream = async function* () {
      yield { data: Buffer.from("part"), totalBytes };
    };
    const { file, session } = await fixture(t, { stream });
    const fetched = async () => {
      await using target = await TargetFile.open(file);
      await fetchBackup("/there", target, session);
      await target.publish(true);
    };
    await assert.rejects(fetched(), /not complete: 4 of its \d+ bytes arrived; export it again/);
    assert.equal(await readFile(file, "utf8"), "the old one");
  }
});

test("a backup that becomes shorter while it is sent is not sent as a whole one", async (t) => {
  const bidiStream = async function* (_method: unknown, inputs: AsyncIterable<{ input: { case: string } }>) {
    for await (const { input } of inputs) yield input.case === "done" ? { path: "/there" } : {};
  };
  const { file, session } = await fixture(t, { bidiStream });
  await using opened = await open(file);
  const stat = await opened.stat();
  t.mock.method(opened, "stat", () => Promise.resolve(Object.assign(stat, { size: 99 })));
  await assert.rejects(sendBackup(opened, file, session), /changed while it was sent/);
});

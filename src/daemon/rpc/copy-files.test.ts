import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { CopyFixture } from "../../../test/support/copy-fixture.ts";
import { isUnprovisioned, markCreated } from "../containers/provisioned-mark.ts";

test("a container that was never started is not replaced by a create once it has got a file", async (t) => {
  const at = await CopyFixture.open(t);
  await using engine = await at.engine.connect();
  const { signal } = new AbortController();
  await markCreated(engine, "web", signal);
  const isReplaced = async () => isUnprovisioned(engine, (await engine.instances.get("web")).value);
  await at.cp(`web:/etc/passwd ${at.folder}`);
  assert.equal(await isReplaced(), true);
  await writeFile(at.path("notes"), "notes");
  assert.equal((await at.cp(`${at.path("notes")} web:`)).code, 0);
  assert.equal(await isReplaced(), false);
});

test("a create that has begun before a container is marked goes first: nothing is copied into what it replaces", async (t) => {
  const at = await CopyFixture.open(t);
  await using engine = await at.engine.connect();
  await markCreated(engine, "web", new AbortController().signal);
  await writeFile(at.path("notes"), "notes");
  const marking = at.engine.hold("PUT", /web\/metadata$/);
  const copying = at.cp(`${at.path("notes")} web:`);
  await marking.reached;
  using _lock = at.locks.take({ id: "x", kind: "create", container: "web", startedAt: 0 });
  marking.release();
  const { code, stderr } = await copying;
  assert.deepEqual([code, at.files("web").names("/home/anna")], [5, []]);
  assert.match(stderr, /web/);
});

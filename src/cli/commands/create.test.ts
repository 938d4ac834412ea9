import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("create builds the image and waits for the end of the operation", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { code, stdout, stderr } = await at.output("create web --debian bookworm");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: created\n");
  assert.match(stderr, /image: packing 90 %\n(.*\n)*.*fetching the image 50 %/);
  assert.equal(at.guest.containers.get("web"), "stopped");
});

test("create leaves an existing container as it is", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  for (const source of ["--debian bookworm", "--image-server https://x --alias y"]) {
    const { code, stdout, stderr } = await at.output(`create web ${source}`);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /web already exists.*; nothing was changed: choose another name, or delete it first/,
    );
    assert.doesNotMatch(stderr, /fetching packages/);
  }
  assert.deepEqual(at.guest.asked, []);
});

test("create --json prints a line for each event, then the result", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { code, stdout, stderr } = await at.output("create web --debian bookworm --json");
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.slice(0, 3).map(({ image }) => image.percent),
    [10, 90, 100],
  );
  assert.equal(lines.at(-2).event.create.status, "CREATED");
  const { operation } = lines.at(-2).event;
  assert.ok(operation);
  assert.deepEqual(lines.at(-1), { container: "web", result: "created", operation });
});

test("create makes a container again that was never started", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "unprovisioned");
  assert.equal((await at.output("create web --debian bookworm")).code, 0);
});

for (const line of [
  "create bad_name --debian bookworm",
  "create",
  "create web",
  "create web --image-server https://x",
  "create web --rootfs /a",
  "create web --debian bookworm --rootfs /a --metadata /b",
]) {
  test(`"${line}" is wrong usage, and requests nothing`, async (t) => {
    const at = await CommandLineFixture.open(t);
    assert.equal(await at.run(line), 2);
    assert.deepEqual(at.guest.asked, []);
  });
}

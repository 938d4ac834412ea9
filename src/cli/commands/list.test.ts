import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("list shows all containers", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.match((await at.output("list")).stderr, /tremplin launch/);
  at.guest.containers.set("web", "running").set("database", "stopped");
  const { stdout } = await at.output("list");
  assert.deepEqual(stdout.split("\n"), [
    "NAME      STATE    IPV4      IMAGE",
    "database  stopped  -         Debian bookworm amd64",
    "web       running  10.0.0.1  Debian bookworm amd64",
    "",
  ]);
  const document = JSON.parse((await at.output("list --json")).stdout);
  assert.deepEqual(
    document.containers.map(({ name }: { name: string }) => name),
    ["database", "web"],
  );
});

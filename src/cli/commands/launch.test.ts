import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { callerName } from "./launch.ts";

describe("tremplin launch", () => {
  test("creates a container, its user, starts it and says how to get in; again there is nothing left", async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.defaultUser = "";
    const { code, stdout, stderr } = await at.output("launch web --debian bookworm --user anna");
    assert.equal(code, 0, stderr);
    const [first, second] = stdout.split("\n");
    assert.equal(first, "web: created, set up for anna, started, at 10.0.0.1");
    assert.match(second ?? "", /^a shell in it, as anna: (sudo )?tremplin shell web$/);
    assert.deepEqual(at.guest.asked, ["create web", "user web anna", "start web"]);
    const again = await at.output("launch web --debian bookworm --user anna");
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^web: runs already, nothing was left to do, at 10.0.0.1\na shell in it/);
    assert.deepEqual(at.guest.asked.length, 3);
  });

  test("a stopped container is only started, and one without a user gets one", async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "stopped");
    const started = await at.output("launch web");
    assert.match(started.stdout, /^web: started, at 10.0.0.1\n/);
    assert.match(started.stderr, /the primary user of web is ada, so \S+ was not created/);
    at.guest.defaultUser = "";
    assert.match((await at.output("launch web --user bob")).stdout, /^web: set up for bob, at 10/);
    assert.deepEqual(at.guest.asked, ["start web", "user web bob"]);
  });

  test("what is different from what was asked for is an error, and nothing is changed", async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "stopped");
    const release = await at.output("launch web --debian trixie");
    assert.deepEqual([release.code, release.stdout], [1, ""]);
    assert.match(release.stderr, /web already exists, with Debian bookworm amd64; nothing was changed/);
    const user = await at.output("launch web --debian bookworm --user bob");
    assert.deepEqual([user.code, user.stdout], [1, ""]);
    assert.match(
      user.stderr,
      /the primary user of web is ada already; bob was not created, nothing was changed/,
    );
    assert.deepEqual(at.guest.asked, []);
  });

  test("what was never started is created again for another release, and kept for the same", async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "unprovisioned");
    assert.match((await at.output("launch web --debian bookworm")).stdout, /^web: started/);
    at.guest.containers.set("web", "unprovisioned");
    assert.match((await at.output("launch web --debian trixie")).stdout, /^web: created, started/);
  });

  test("a backup makes a container, and is not used for one that exists", async (t) => {
    const at = await CommandLineFixture.open(t);
    const file = join(at.folder, "web.tar.gz");
    await writeFile(file, "BZh backup");
    assert.match((await at.output(`launch web --backup ${file}`)).stdout, /^web: created, started/);
    assert.ok(at.guest.asked.includes("read BZh backup"));
    const again = await at.output(`launch web --backup ${file}`);
    assert.equal(again.code, 0);
    assert.match(again.stderr, /web exists already, .*; the backup .*web.tar.gz was not used/);
  });

  test("Ctrl-C cancels what runs, says what is left, and the same command goes on", async (t) => {
    const at = await CommandLineFixture.open(t);
    const gate = Promise.withResolvers<void>();
    at.guest.gate = gate.promise;
    const io = new RecordedIo();
    const running = at.output("launch web --image-server https://x --alias y --user ada", io);
    await io.written(/fetching the image/);
    io.ctrlC();
    const { code, stderr } = await running;
    assert.equal(code, 130);
    assert.ok(at.guest.asked.includes("cancel"));
    assert.equal(at.guest.containers.has("web"), false);
    assert.match(
      stderr,
      /left to do: create web, set up ada, start it\. Run the same command again to go on/,
    );
    gate.resolve();
  });

  test("without a name it is penguin; --json prints one document at the end", async (t) => {
    const at = await CommandLineFixture.open(t);
    const { code, stdout, stderr } = await at.output("launch --json");
    assert.deepEqual([code, stderr], [0, ""]);
    const document = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    assert.equal(document.container, "penguin");
    assert.equal(document.result, "created, started");
    assert.deepEqual([document.user, document.address], ["ada", "10.0.0.1"]);
    assert.match(document.shell, /tremplin shell penguin$/);
  });

  for (const line of [
    "launch bad_name",
    "launch web --debian bookworm --backup x",
    "launch web --alias y",
    "launch web --backup /no/such/file",
  ]) {
    test(`"${line}" is wrong usage, and creates nothing`, async (t) => {
      const at = await CommandLineFixture.open(t);
      assert.equal(await at.run(line), 2);
      assert.deepEqual(at.guest.asked, []);
    });
  }

  test("the person is who called sudo, unless no container would accept the name", () => {
    assert.equal(callerName({ SUDO_USER: "anna" }), "anna");
    for (const SUDO_USER of ["root", "Anna", "a b", "", "x".repeat(40)]) {
      assert.equal(callerName({ SUDO_USER }), "user");
    }
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { run } from "../program.ts";

test("exec needs a program, and takes options only before it", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.equal((await at.output("exec")).code, 2);
  assert.equal((await at.output("exec web")).code, 2);
  const option = await at.output("exec web --nope id");
  assert.equal(option.code, 2);
  assert.match(option.stderr, /--nope is no option of tremplin exec;.*tremplin exec web -- --nope/);
});

test("the help of exec says that it has no terminal", async () => {
  const io = new RecordedIo();
  assert.equal(await run(["help"], io), 0);
  assert.match(io.stdout, /^ +exec .*without a terminal$/m);
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { CommandLineFixture } from "../../test/support/command-line.ts";
import { formatAddress } from "../transport/address.ts";
import { processIo } from "./io.ts";
import { run } from "./program.ts";

const [how, host, ...words] = process.argv.slice(2);
const execute = promisify(execFile);

/** What a program shows in a pseudo-terminal, which script(1) opens. */
async function inTerminal(
  { hostAddress }: CommandLineFixture,
  line: string,
  env: NodeJS.ProcessEnv = {},
  columns = 80,
): Promise<string> {
  const options = process.execArgv.filter((option) => !option.startsWith("--test"));
  const program = [
    process.execPath,
    ...options,
    import.meta.filename,
    "as-program",
    formatAddress(hostAddress),
  ];
  const command = `stty cols ${columns}; ${[...program, line].map((word) => `'${word}'`).join(" ")}`;
  const variables = {
    ...process.env,
    NODE_TEST_CONTEXT: undefined,
    NO_COLOR: undefined,
    ...env,
    SHELL: "/bin/sh",
  };
  const { stdout } = await execute("script", ["-qec", command, "/dev/null"], { env: variables });
  return stdout.replaceAll("\r\n", "\n");
}

if (how === "as-program") {
  const line = words.join(" ").split(" ");
  process.exitCode = await run([...line, "--host", host as string], processIo());
} else {
  const utf8 = { LC_ALL: "C.UTF-8", TERM: "xterm-256color" };

  test("a table fits a narrow terminal, and is whole in a pipe", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("web", "running");
    place.guest.containerFields = { image: "Debian trixie amd64 (20261130_10:27)" };
    const narrow = await inTerminal(place, "list", utf8, 40);
    assert.ok(
      narrow.split("\n").every((line) => line.length <= 40),
      narrow,
    );
    assert.match(narrow.replace(/\s+/g, " "), /Debian trixie amd64 \(20261130_10:27\)/);
    assert.equal((await place.output("list")).stdout.split("\n").length, 3);
  });

  test("a terminal that cannot, and one without UTF-8, get what they can show", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("web", "stopped");
    place.guest.containerFields = { image: "Größe \u001b[2J" };
    const text = await inTerminal(place, "list", { LC_ALL: "C", TERM: "xterm" });
    assert.match(text, /Gr\?\?e +\[2J\n$/);
    assert.match(await inTerminal(place, "list", utf8), /Größe +\[2J\n$/);
    const dumb = await inTerminal(place, "start web", { ...utf8, TERM: "dumb" });
    assert.match(dumb, /^starting web\n(starting web: .*\n)*web: started\n$/);
  });

  test("no result is glued to a progress line, and none of that stays", async (t) => {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("web", "running");
    for (const line of ["upgrade web --to bookworm --dry-run", "upgrade web --to bookworm", "stop web"]) {
      const text = await inTerminal(place, line, utf8);
      // What a terminal shows of a line is what was written after its last erasure.
      const shown = text.split("\n").map((each) => each.split("\r\u001b[J").at(-1));
      assert.ok(
        shown.every((each) => /^(300 MB to download|the complete log .*|web: .*|)$/.test(each ?? "")),
        text,
      );
    }
  });
}

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../test/support/command-line.ts";
import { repository } from "../../test/support/repository.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { createProgram, run } from "./program.ts";
import { allCommands, modelOf } from "./reference/command-model.ts";

/**
 * A line of each command that asks a host, about the container `nosuch` where it is about one. A new command needs a line
 * here.
 */
const aboutHost: Readonly<Record<string, string>> = {
  status: "status",
  list: "list",
  launch: "launch nosuch --debian bookworm",
  create: "create nosuch --debian bookworm",
  start: "start nosuch",
  stop: "stop nosuch",
  restart: "restart nosuch",
  rename: "rename nosuch other",
  copy: "copy nosuch other",
  set: "set nosuch cpu=1",
  get: "get nosuch",
  logs: "logs nosuch",
  top: "top --once",
  snapshot: "snapshot nosuch",
  snapshots: "snapshots nosuch",
  restore: "restore nosuch s1",
  delete: "delete nosuch",
  info: "info nosuch",
  shell: "shell nosuch id",
  exec: "exec nosuch id",
  user: "user nosuch ada",
  timezone: "timezone Etc/UTC nosuch",
  share: "share nosuch /srv",
  shares: "shares nosuch",
  "ssh-config": "ssh-config",
  unshare: "unshare nosuch /srv",
  upgrade: "upgrade nosuch --to bookworm",
  cp: "cp nosuch:/etc/hostname /nowhere/hostname",
  debug: "debug",
  export: "export nosuch --shared",
  import: "import nosuch backup.tar.gz --shared",
  ports: "ports",
  "forward list": "forward list",
  "forward on": "forward on nosuch",
  "forward off": "forward off nosuch",
  "forward map": "forward map nosuch 8080 auto",
  "usb list": "usb list",
  "usb attach": "usb attach nosuch 1",
  "usb detach": "usb detach 1",
  console: "console",
  watch: "watch --once",
  history: "history",
  "guest list": "guest list",
  "guest add": "guest add other unix:/nowhere",
  "guest remove": "guest remove nosuch",
};
/** Those that make what they name; and the guest of these tests has no files. */
const makes = new Set(["create", "launch", "import", "guest add", "cp"]);
/** They end the standard input of this process. */
const usesStdin = /^(shell|exec) /;
/** The others ask no host, or check what is there. */
const others = ["up", "down", "doctor", "daemon", "host", "completion", "machine up", "machine down"];
const more = ["machine status", "machine shell", "trust guest", "trust client", "trust host", "trust list"];
const withoutHost = new Set([...others, ...more, "trust revoke"]);

async function leaves() {
  const all = allCommands(modelOf(await createProgram("all", new RecordedIo())));
  return all.filter(({ commands, path }) => commands.length === 0 && path[1] !== "help");
}

test("each command is known to these tests", async () => {
  const names = (await leaves()).map(({ path }) => path.slice(1).join(" "));
  const known = [...Object.keys(aboutHost), ...withoutHost];
  const unknown = names.filter((name) => !known.includes(name));
  assert.deepEqual(unknown, [], "add a line for each of them to aboutHost, or its name to withoutHost");
  assert.deepEqual(
    known.filter((name) => !names.includes(name)),
    [],
    "remove those that are gone",
  );
});

test("help is no failure, and an option that does not exist is wrong usage, in each command", async () => {
  for (const { path } of await leaves()) {
    const words = path.slice(1);
    assert.equal(await run([...words, "--help"], new RecordedIo()), 0, words.join(" "));
    const io = new RecordedIo();
    assert.equal(await run([...words, "--no-such-option"], io), 2, words.join(" "));
    assert.match(io.stderr, /^tremplin: .*--no-such-option.*\n$/);
  }
});

test("a host that is not there is unreachable, in words and as an object", async () => {
  for (const line of Object.values(aboutHost)) {
    const words = [...line.split(" "), "--host", "unix:/nowhere/host.sock"];
    const separate = usesStdin.test(line) ? ["--host", "unix:/nowhere/host.sock", ...line.split(" ")] : words;
    const io = new RecordedIo();
    assert.equal(await run(separate, io), exitCode.unreachable, `${line}: ${io.stderr}`);
    assert.match(io.stderr, /nothing listens at unix:\/nowhere\/host.sock/, line);
    assert.equal(existsSync("/nowhere"), false, `${line} makes nothing`);
    const object = new RecordedIo();
    assert.equal(await run(["--json", ...separate], object), exitCode.unreachable);
    const { error } = JSON.parse(object.stderr.trim().split("\n").at(-1) ?? "");
    assert.deepEqual([error.code, error.exitCode], ["unavailable", exitCode.unreachable], line);
  }
});

test("what is not there is not found", async (t) => {
  const place = await CommandLineFixture.open(t);
  for (const [name, line] of Object.entries(aboutHost)) {
    if (!line.includes("nosuch") || makes.has(name) || usesStdin.test(line)) continue;
    const io = new RecordedIo();
    assert.equal(await place.run(line, io), exitCode.notFound, `${line}: ${io.stderr}`);
    assert.match(io.stderr, /there is no/, line);
  }
});

test("Ctrl-C ends each command that waits for a host", async (t) => {
  const silent = createServer();
  const folder = await mkdtemp(join(tmpdir(), "exit-codes-"));
  t.after(() => rm(folder, { recursive: true }));
  const socket = join(folder, "host.sock");
  await new Promise<void>((resolve) => silent.listen(socket, resolve));
  t.after(() => silent.close());
  // Those leave SIGINT to the system, which ends them, and in a terminal to the program.
  const lines = Object.values(aboutHost).filter((line) => !usesStdin.test(line));
  const codes = await Promise.all(
    lines.map(async (line) => {
      const io = new RecordedIo();
      io.ctrlC();
      return [line, await run(["--host", `unix:${socket}`, ...line.split(" ")], io)];
    }),
  );
  const wrong = codes.filter(([, code]) => code !== exitCode.interrupted);
  assert.deepEqual(wrong, []);
});

test("the table of exit codes is that of the documentation", async () => {
  const text = await readFile(join(repository, "docs/command-line.md"), "utf8");
  const table = text.slice(text.indexOf("## Exit codes"));
  const documented = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(documented, Object.values(exitCode));
  assert.ok(Object.values(exitCodeOf).every((code) => Object.values<number>(exitCode).includes(code)));
});

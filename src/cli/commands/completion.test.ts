import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { run } from "../program.ts";

async function output(...words: string[]): Promise<string> {
  const io = new RecordedIo();
  assert.equal(await run(words, io), 0, io.stderr);
  return io.stdout;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "completion-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** The tests run where scripts/packages --tests brought them, and elsewhere too. */
function lacks(program: string): string | false {
  return spawnSync(program, ["--version"]).error ? `NOT TESTED: ${program} is not installed` : false;
}

/** The completions of these command lines, by the shell itself, with a `tremplin` that has two containers. */
const lines: Readonly<Record<string, readonly string[]>> = {
  "tremplin cre": ["create"],
  "tremplin create x --deb": ["--debian"],
  "tremplin machine s": ["shell", "status"],
  "tremplin daemon --log s": ["stderr", "syslog"],
  "tremplin --host unix:/x start ": [],
  "tremplin start ": ["penguin", "web"],
  "tremplin start --host unix:/x w": ["web"],
  "tremplin info w": ["web"],
  "tremplin forward off ": ["penguin", "web"],
  "tremplin completion ": ["bash", "fish", "zsh"],
  "tremplin help com": ["completion"],
  "tremplin export web --host ": [],
};

async function program(t: TestContext, shell: string): Promise<{ script: string; env: NodeJS.ProcessEnv }> {
  const path = folder(t);
  const script = join(path, "script");
  writeFileSync(script, await output("completion", shell));
  const list = '{"containers":[{"name":"penguin","state":"running"},{"name":"web"}]}';
  writeFileSync(join(path, "tremplin"), `#!/bin/sh\necho '${list}'\n`, { mode: 0o755 });
  return { script, env: { ...process.env, HOME: path, PATH: `${path}:${process.env.PATH}` } };
}

test("bash completes commands, options, choices and containers", { skip: lacks("bash") }, async (t) => {
  const { script, env } = await program(t, "bash");
  const probe = `source "$1"; COMP_LINE=$2 COMP_POINT=\${#2}; _tremplin; printf '%s\\n' "\${COMPREPLY[@]}"`;
  for (const [line, expected] of Object.entries(lines)) {
    const found = execFileSync("bash", ["-c", probe, "bash", script, line], { env, encoding: "utf8" });
    assert.deepEqual(found.split("\n").filter(Boolean).sort(), expected, line);
  }
});

test("fish completes commands, options, choices and containers", { skip: lacks("fish") }, async (t) => {
  const { script, env } = await program(t, "fish");
  execFileSync("fish", ["--no-execute", script], { env });
  const probe = "source $argv[1]; for line in $argv[2..]; complete -C $line; echo .; end";
  const found = execFileSync("fish", ["-c", probe, script, ...Object.keys(lines)], { env, encoding: "utf8" });
  const words = found.split(/^\.\n/m).map((part) => part.split("\n").map((line) => line.split("\t")[0]));
  for (const [index, [line, expected]] of Object.entries(lines).entries()) {
    assert.deepEqual((words[index] ?? []).filter(Boolean).sort(), expected, line);
  }
});

test("zsh reads its script without a word", { skip: lacks("zsh") }, async (t) => {
  const { script, env } = await program(t, "zsh");
  execFileSync("zsh", ["-n", script], { env });
  const load = `autoload -Uz compinit; compinit -u -d "$HOME/dump"; source "$1"; print $_comps[tremplin]`;
  const found = spawnSync("zsh", ["-fc", load, "zsh", script], { env, encoding: "utf8" });
  assert.deepEqual([found.stdout, found.stderr], ["_tremplin\n", ""]);
});

test("another shell is wrong usage, with those that there are", async () => {
  const io = new RecordedIo();
  assert.equal(await run(["completion", "tcsh"], io), 2);
  assert.match(io.stderr, /bash, zsh, fish/);
});

test("each command has a manual page that man reads without a warning", { skip: lacks("man") }, async (t) => {
  const path = folder(t);
  await output("man-pages", path, "--date", "2026-01-02");
  const pages = readdirSync(path);
  for (const name of ["tremplin.1", "tremplin-create.1", "tremplin-machine-up.1", "tremplin-usb-attach.1"]) {
    assert.ok(pages.includes(name), `${name} in ${pages}`);
  }
  assert.ok(!pages.some((name) => name.includes("help")), `${pages}`);
  const files = pages.map((name) => join(path, name));
  const shown = spawnSync("man", ["--warnings", "--local-file", "--troff-device=utf8", ...files], {
    env: { ...process.env, MANPAGER: "cat", MANROFFSEQ: "" },
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  assert.deepEqual([shown.status, shown.stderr], [0, ""]);
  const create = readFileSync(join(path, "tremplin-create.1"), "utf8");
  assert.match(create, /^\.TH "TREMPLIN\\-CREATE" 1 "2026-01-02"/);
  assert.match(create, /^\.B \\-\\-debian <release>$/m);
  assert.match(create, /^Give exactly one source/m);
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { shellCommand } from "./shell-program.ts";

/** Runs the command on this machine, which has a root account and a shell as containers do. */
function run(account: string, ...command: string[]) {
  const [program, ...args] = shellCommand(account, command) as [string, ...string[]];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", input: "" });
  return { status, stdout, stderr };
}

test("a program without an account needs no shell", () => {
  assert.deepEqual(shellCommand(undefined, ["ls", "-l"]), ["ls", "-l"]);
});

test("a program gets its arguments as they are, and its exit code is kept", {
  skip: process.getuid?.() !== 0,
}, () => {
  const odd = ["", " ", "'", '"', "$HOME", "`id`", "--", "-c", "*"];
  assert.equal(run("root", "printf", "<%s>", ...odd).stdout, odd.map((each) => `<${each}>`).join(""));
  assert.equal(run("nobody", "printf", "<%s>", ...odd).stdout, odd.map((each) => `<${each}>`).join(""));
  assert.equal(run("root", "sh", "-c", "exit 9").status, 9);
  assert.equal(run("nobody", "id", "-un").stdout, "nobody\n");
  assert.equal(run("root", "id", "-un").stdout, "root\n");
});

test("a program or an account that does not exist is named", { skip: process.getuid?.() !== 0 }, () => {
  for (const account of ["root", "nobody"]) {
    const { status, stderr } = run(account, "nosuchprog");
    assert.deepEqual([status, stderr], [127, "tremplin: there is no program nosuchprog in this container\n"]);
  }
  for (const account of ["nosuchuser", "$(id)", "`id`"]) {
    assert.deepEqual(run(account, "id"), {
      status: 1,
      stdout: "",
      stderr: `tremplin: there is no account ${account} in this container\n`,
    });
  }
});

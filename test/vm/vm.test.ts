import { spawnSync } from "node:child_process";
import { glob } from "node:fs/promises";
import { test } from "node:test";
import { repository } from "../support/repository.ts";
import { runInGuest } from "./support/run-in-guest.ts";

/** The guest runs this build and runtime, so it has the architecture of this computer. */
const canEmulate = process.arch === "x64" && spawnSync("qemu-system-x86_64", ["--version"]).status === 0;
const skip = canEmulate ? false : "NOT TESTED: the virtual machine needs an x86-64 with qemu-system-x86_64";

/** All tests of `inside/` run in one virtual machine. Each result is reported here as a test. */
test("tests that need a virtual machine", { skip }, async (context) => {
  const files = await Array.fromAsync(glob("dist/test/test/vm/inside/*.inside.js", { cwd: repository }));
  const tests = await runInGuest(files.sort());
  for (const { name, file, passed, skipped, error } of tests.filter(({ nesting }) => nesting === 0)) {
    const title = `${file.replace(/^.*\/inside\/|\.inside\.[jt]s$/g, "")}: ${name}`;
    await context.test(title, { skip: skipped }, () => {
      if (!passed) throw new Error(error ?? "failed");
    });
  }
});

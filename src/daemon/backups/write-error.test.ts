import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runProgram } from "../../base/processes/run-program.ts";
import { compressInto } from "./compressed-file.ts";
import { ExportMeter } from "./export-meter.ts";
import { explainWriteError } from "./write-error.ts";

const LIMIT = 1024 * 1024;
const { signal } = new AbortController();

/** Lets this process and its children write files of at most that many bytes until the end of the test. */
async function limitFiles(t: TestContext, bytes: number): Promise<void> {
  const set = (limit: string) => runProgram("prlimit", ["--pid", `${process.pid}`, `--fsize=${limit}:`]);
  await set(`${bytes}`);
  t.after(() => set("unlimited"));
}

for (const script of ["cat", "trap '' XFSZ; exec cat"]) {
  test(`a limit on the size of files is the reason, not the end of \`${script}\``, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "write-error-"));
    t.after(() => rm(folder, { recursive: true }));
    await using file = await open(join(folder, "backup"), "w");
    await limitFiles(t, LIMIT);
    const compressor = { program: "sh", args: ["-c", script] };
    const packing = compressInto(file, compressor, new ExportMeter(), signal, async (into) => {
      for (let written = 0; written <= LIMIT; written += LIMIT / 16)
        await into.write(Buffer.alloc(LIMIT / 16));
      into.end();
    });
    await assert.rejects(packing, {
      message:
        "the backup is larger than the 1048576 bytes that this system allows the daemon for a file: raise the limit (ulimit -f, or LimitFSIZE= of its unit)",
    });
  });
}

test("where nothing prevents a write, the error itself is the reason", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "write-error-"));
  t.after(() => rm(folder, { recursive: true }));
  await using file = await open(join(folder, "backup"), "w");
  const error = new Error("gzip was killed by SIGKILL");
  assert.equal(await explainWriteError(file, error), error);
});

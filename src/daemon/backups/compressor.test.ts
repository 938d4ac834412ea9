import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { compressorFor } from "./compressor.ts";

async function installed(t: TestContext, ...programs: string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "compressors-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const program of programs) {
    await writeFile(join(folder, program), "");
    await chmod(join(folder, program), 0o755);
  }
  return [folder];
}

test("the fastest installed gzip is chosen", async (t) => {
  const all = ["gzip", "pigz", "igzip"];
  for (; all.length > 0; all.pop()) {
    const { program } = await compressorFor("backup.tini", await installed(t, ...all));
    assert.equal(basename(program), all.at(-1));
  }
});

test("zstd is chosen for .zst, and an error names the missing package", async (t) => {
  const { program, args } = await compressorFor("x.tar.zst", await installed(t, "zstd", "igzip"));
  assert.equal(basename(program), "zstd");
  assert.ok(args.includes("-c"));
  await assert.rejects(compressorFor("x.tar.zst", await installed(t, "igzip")), /install the package zstd/);
  await assert.rejects(compressorFor("x", await installed(t)), /install the package isal/);
});

import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { compressInto } from "./compressed-file.ts";
import { ExportMeter } from "./export-meter.ts";
import { Subprocess } from "./subprocess.ts";

const { signal } = new AbortController();

/** Compresses with a shell script what `fill` writes. */
async function compress(
  t: TestContext,
  script: string,
  fill: Parameters<typeof compressInto>[4],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "compressed-"));
  t.after(() => rm(folder, { recursive: true }));
  await using file = await open(join(folder, "out"), "w");
  await compressInto(file, { program: "sh", args: ["-c", script] }, new ExportMeter(), signal, fill);
}

test("a compressor that is killed is the reason, even if its writer fails first", async (t) => {
  const fill = async (): Promise<void> => {
    await using writer = Subprocess.start(["sh", "-c", "kill -PIPE $$"], { signal }, "tar");
    await writer.succeeded();
  };
  await assert.rejects(
    compress(t, "read line; kill -KILL $$", async (packing) => {
      await fill().finally(() => packing.end());
    }),
    { message: "sh was killed by SIGKILL" },
  );
});

test("a writer that fails by itself is the reason, and the compressor is stopped", async (t) => {
  const fill = async (): Promise<void> => {
    await using writer = Subprocess.start(["sh", "-c", "echo no such file >&2; exit 2"], { signal }, "tar");
    await writer.succeeded();
  };
  await assert.rejects(compress(t, "while :; do read line; done", fill), {
    message: /^tar ended with 2: no such file/,
  });
});

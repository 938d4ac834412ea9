import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { OperationContext } from "../runner/operation.ts";
import { uploadedImage } from "./image-source.ts";

test("an image that was uploaded and cannot be deleted yet is owed", async () => {
  const images = {
    get: async () => ({}),
    delete: async () => {
      throw new TremplinError("failed", "the disk is full");
    },
  };
  const owed: string[] = [];
  const { signal } = new AbortController();
  const context = {
    id: "a",
    signal,
    shutdownSignal: signal,
    log: silentLogger,
    owe: (reason: string) => owed.push(reason),
  };
  {
    await using _image = await uploadedImage(
      { images } as unknown as Engine,
      context as unknown as OperationContext,
      async () => ({ fingerprint: "0123456789abcdef", existed: false }),
    );
  }
  assert.deepEqual(owed, ["the image 0123456789ab is still there: the disk is full"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { OperationContext } from "./runner/operation.ts";
import { UploadedImages } from "./uploaded-images.ts";

test("an operation owes the deletion of an uploaded image that the engine cannot delete yet", async () => {
  const images = {
    get: async () => ({}),
    delete: async () => {
      throw new TremplinError("failed", "the disk is full");
    },
  };
  const debts: string[] = [];
  const { signal } = new AbortController();
  const context = {
    id: "a",
    signal,
    shutdownSignal: signal,
    log: silentLogger,
    owe: (debt: string) => debts.push(debt),
  };
  {
    await using _image = await new UploadedImages().add(
      { images } as unknown as Engine,
      context as unknown as OperationContext,
      async () => ({ fingerprint: "0123456789abcdef", existed: false }),
    );
  }
  assert.deepEqual(debts, ["the image 0123456789ab is still there: the disk is full"]);
});

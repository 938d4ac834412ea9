import assert from "node:assert/strict";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "node:test";
import { silentLogger } from "../../src/base/logger.ts";
import { recoverTarget } from "../../src/daemon/operations/export/recover-target.ts";
import { openSharedTarget, type SharedTarget } from "../../src/daemon/operations/export/shared-target.ts";
import type { TargetContext } from "../../src/daemon/operations/export/target-steps.ts";

/** What the compressor has written when its work is half done. */
export const HALF = Buffer.from([0x1f, 0x8b, 8, 0]);
/** A whole backup, read as UTF-8. */
export const WHOLE = "\x1f\ufffd\b\0end";

/** The context of an export, with a journal in memory. */
export function exportContext(id = "0123456789abcdef"): TargetContext {
  let steps: TargetContext["steps"] = {};
  return {
    id,
    log: silentLogger,
    get steps() {
      return steps;
    },
    async step(...[name, value]) {
      steps = { ...steps, [name]: value ?? true };
    },
  };
}

/** A shared folder of its own for each test of a file. */
export class TestSharedFolder {
  path = "";

  constructor() {
    beforeEach(async () => {
      this.path = await mkdtemp(join(tmpdir(), "tremplin-target-"));
    });
    afterEach(() => rm(this.path, { recursive: true }));
  }

  at(name: string): string {
    return join(this.path, name);
  }

  read(name: string): Promise<string> {
    return readFile(this.at(name), "utf8");
  }

  /** Writes a backup to its end, unless `meanwhile` or the publication throws. */
  async write(
    path: string,
    meanwhile: (target: SharedTarget) => Promise<unknown> = async () => undefined,
    context = exportContext(),
  ): Promise<string | undefined> {
    {
      await using target = await openSharedTarget(this.path, path, context);
      await target.file.write(HALF);
      await meanwhile(target);
      await target.file.write("end");
      await target.file.sync();
      await target.publish("done");
    }
    return await this.recover(context);
  }

  /** Writes half of a backup and leaves it as a kill does. */
  async writeHalf(path: string, context: TargetContext): Promise<void> {
    {
      await using target = await openSharedTarget(this.path, path, context);
      await target.file.write(HALF);
    }
    // A killed daemon does not truncate it.
    if (context.steps.target?.how === "in-place") await writeFile(this.at(path), HALF);
  }

  recover(context: TargetContext): Promise<string | undefined> {
    return recoverTarget(this.path, context);
  }

  async assertFails(writing: Promise<unknown>, reason: RegExp, context: TargetContext): Promise<void> {
    await assert.rejects(writing, reason);
    assert.equal(await this.recover(context), undefined);
  }
}

export async function replaceBy(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

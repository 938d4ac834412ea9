import assert from "node:assert/strict";
import { copyFile, cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type FreeNetwork, freeNetwork } from "../support/free-network.ts";
import { keep } from "../support/keeper.ts";
import { repository } from "../support/repository.ts";
import { execute } from "../support/system-state.ts";
import { testFolder } from "../support/test-run.ts";
import { tinyImage } from "../support/tiny-image.ts";

describe("up after an upgrade", () => {
  let folder: string;
  let network: FreeNetwork;
  let kept: AsyncDisposable;

  beforeEach(async () => {
    network = await freeNetwork();
    folder = await testFolder();
    kept = keep({ folder, bridge: network.bridge });
  });
  afterEach(async () => {
    await tremplin(repository, "down", "--run", join(folder, "run")).catch(() => undefined);
    await kept?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  async function tremplin(program: string, ...words: readonly string[]): Promise<string> {
    const env = { ...process.env, TREMPLIN_HOST: `unix:${folder}/run/host.sock` };
    const { stdout, stderr } = await execute(join(program, "bin/tremplin"), [...words], { env });
    return stdout + stderr;
  }

  /** The program of this checkout as an earlier version. */
  async function earlierProgram(version: string): Promise<string> {
    const program = join(folder, version);
    await mkdir(join(program, "bin"), { recursive: true });
    await copyFile(join(repository, "bin/tremplin"), join(program, "bin/tremplin"));
    await symlink(join(repository, "node_modules"), join(program, "node_modules"));
    const env = { ...process.env, TREMPLIN_APP_OUT: join(program, "dist/app"), TREMPLIN_VERSION: version };
    await execute(process.execPath, ["scripts/build.mjs"], { cwd: repository, env });
    await cp(join(repository, "package.json"), join(program, "package.json"));
    return program;
  }

  test("an older daemon and host are started again, and the container runs on", async () => {
    const { bridge, subnet } = network;
    const up = [
      "up",
      "--run",
      `${folder}/run`,
      "--state",
      `${folder}/state`,
      "--bridge",
      bridge,
      "--lxd-subnet",
      subnet,
    ];
    const earlier = await earlierProgram("0.0.1");
    assert.match(await tremplin(earlier, ...up), /daemon +started/);
    await using image = await tinyImage();
    const files = ["rootfs", "metadata"] as const;
    for (const name of files) await copyFile(image[name], join(folder, "state/shared", `${name}.tar.gz`));
    await tremplin(
      earlier,
      "create",
      "tiny",
      ...files.flatMap((name) => [`--${name}`, `${folder}/state/shared/${name}.tar.gz`]),
    );
    await tremplin(earlier, "start", "tiny");
    const startedAt = await tremplin(repository, "shell", "tiny", "stat", "-c", "%Y", "/run/booted");
    assert.match(await tremplin(repository, "status"), /version 0\.0\.1,/);

    const output = await tremplin(repository, ...up);
    assert.match(output, /version 0\.0\.1 of the daemon is older/);
    assert.match(output, /host +started.*daemon +started.*is running/s);
    assert.doesNotMatch(await tremplin(repository, "status"), /version 0\.0\.1,/);
    assert.equal(await tremplin(repository, "shell", "tiny", "stat", "-c", "%Y", "/run/booted"), startedAt);

    assert.match(await tremplin(earlier, ...up), /host +already running.*daemon +already running/s);
  });
});

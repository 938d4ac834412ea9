import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ContainerActions } from "../../../test/support/container-actions.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../test/support/memory-engine/tiny-image-bytes.ts";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import { ShareMounts } from "./share-mounts.ts";
import { ShareRecords } from "./share-records.ts";
import { Shares } from "./shares.ts";

/** Shares of a container `web` that runs, of an engine in memory; nothing is mounted, so every look finds them gone. */
class Ground implements AsyncDisposable {
  readonly signal = new AbortController().signal;
  readonly folder: string;
  readonly memory: MemoryEngine;
  readonly engine: Engine;
  readonly #parts = new AsyncDisposableStack();

  private constructor(folder: string, memory: MemoryEngine, engine: Engine) {
    this.folder = folder;
    this.memory = memory;
    this.engine = engine;
  }

  static async open(): Promise<Ground> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "tremplin-shares-")));
    await mkdir(join(folder, "src"));
    const memory = await MemoryEngine.open();
    const engine = await memory.connect();
    const actions = new ContainerActions(engine, memory.addImage(tinyImageBytes()));
    await actions.create("web");
    await actions.act("web", "start");
    const ground = new Ground(folder, memory, engine);
    ground.#parts.defer(() => rm(folder, { recursive: true }));
    ground.#parts.use(memory);
    ground.#parts.use(engine);
    return ground;
  }

  /** The shares of the next daemon. */
  async shares(engine = this.engine): Promise<{ shares: Shares; records: ShareRecords }> {
    const records = await ShareRecords.open(join(this.folder, "shares.json"), silentLogger);
    const unmountFolder = () => {
      throw new Error("nothing is mounted");
    };
    const calls = async () => ({ mountFolder: () => undefined, unmountFolder });
    const mounts = new ShareMounts(join(this.folder, "shares"), calls);
    const ambient = { clock: systemClock, log: silentLogger };
    const shares = new Shares({ records, mounts, own: [], engine: () => engine, ...ambient });
    this.#parts.use(shares);
    return { shares, records };
  }

  async share(shares: Shares, signal = this.signal): Promise<void> {
    const wanted = { source: join(this.folder, "src"), path: "", readOnly: true, caller: undefined };
    await shares.create("web", wanted, signal);
  }

  devices(): string[] {
    return Object.keys(this.memory.instance("web").devices).filter((key) => key.startsWith("share-"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

test("a folder that is there again is shown in one change, and a change that fails ends no share", async () => {
  await using at = await Ground.open();
  const { shares, records } = await at.shares();
  await at.share(shares);
  const [first] = at.devices();
  const held = at.memory.hold("PUT", /instances.web$/);
  shares.watch(at.engine);
  await held.reached;
  held.fail("the disk is full");
  await eventually("another key", async () => (at.devices()[0] === first ? undefined : true));
  assert.deepEqual([at.devices().length, records.all.size], [1, 1]);
});

test("a call that ends while the engine changes the container leaves the share whole", async () => {
  await using at = await Ground.open();
  const { shares, records } = await at.shares();
  await at.share(shares);
  const before = at.devices();
  const held = at.memory.hold("PUT", /instances.web$/);
  const call = new AbortController();
  const sharing = at.share(shares, call.signal).catch(() => undefined);
  await held.reached;
  call.abort();
  held.release();
  await sharing;
  const [device, ...others] = await eventually("another share", async () =>
    at.devices()[0] === before[0] ? undefined : at.devices(),
  );
  assert.deepEqual(others, []);
  assert.deepEqual([...records.all.keys()], [device?.slice("share-".length)]);
});

test("another engine, which has none of the containers, ends no share", async () => {
  await using at = await Ground.open();
  await at.share((await at.shares()).shares);
  await using other = await MemoryEngine.open();
  await using client = await other.connect();
  const { shares, records } = await at.shares(client);
  shares.watch(client);
  const listed = other.hold("GET", /instances$/);
  await listed.reached;
  listed.release();
  await assert.rejects(shares.create("web", wantedOf(at), at.signal), { code: "not-found" });
  assert.equal(records.all.size, 1);
});

function wantedOf({ folder }: Ground) {
  return { source: join(folder, "src"), path: "", readOnly: true, caller: undefined };
}

test("only a named path gives the place of one share to another folder", async () => {
  await using at = await Ground.open();
  const { shares } = await at.shares();
  await at.share(shares);
  await mkdir(join(at.folder, "other", "src"), { recursive: true });
  const other = { ...wantedOf(at), source: join(at.folder, "other", "src") };
  const refused = { code: "exists", message: /\/mnt\/src in web shows .*; name another path, or this one/ };
  await assert.rejects(shares.create("web", other, at.signal), refused);
  await at.share(shares);
  await shares.create("web", { ...other, path: "/mnt/src" }, at.signal);
  assert.deepEqual(
    (await shares.list("web", at.signal)).map(({ source }) => source),
    [other.source],
  );
});

test("what is mounted without a record is unmounted too", async () => {
  await using at = await Ground.open();
  const { shares } = await at.shares();
  await mkdir(join(at.folder, "shares", "0123456789abcdef"), { recursive: true });
  await shares.unmountAll();
  assert.deepEqual(await readdir(join(at.folder, "shares")), []);
});

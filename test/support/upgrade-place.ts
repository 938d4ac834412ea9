import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  UpgradeContainerResponse_Status as Answer,
  type UpgradeContainerProgress,
  type UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { baseFiles, createAptContainer, reaches } from "./apt-container.ts";
import { startDaemon, type TestDaemon } from "./daemon.ts";
import {
  type FakePackage,
  type FakeSuite,
  Mirror,
  type SigningKey,
  signingKey,
  writeRepository,
} from "./debian-repository.ts";
import { engineOf } from "./engine-of.ts";
import { runInside } from "./run-inside.ts";
import { launch, startContainer } from "./tiny-container.ts";

/** A configuration file comes with it, which people change. */
export function tool(version: string, more: Partial<FakePackage> = {}): FakePackage {
  const files = { "etc/tool.conf": `made for ${version}\n`, "usr/share/tool/version": `${version}\n` };
  return { name: "tool", version, files, ...more };
}

/** What the mirror has unless a test says otherwise: three releases of two packages. */
export const smallReleases: readonly FakeSuite[] = [
  { suite: "stretch", packages: [baseFiles("9", "stretch"), tool("1")] },
  { suite: "buster", packages: [baseFiles("10", "buster"), tool("2")] },
  { suite: "bullseye", packages: [baseFiles("11", "bullseye"), tool("3")] },
];

/** A daemon, a mirror of small releases on its bridge, and containers of the oldest one. */
export class UpgradePlace implements AsyncDisposable {
  readonly daemon: TestDaemon;
  readonly engine: Engine;
  readonly mirror: Mirror;
  readonly key: SigningKey;
  readonly #stack: AsyncDisposableStack;
  #count = 0;

  private constructor(parts: {
    daemon: TestDaemon;
    engine: Engine;
    mirror: Mirror;
    key: SigningKey;
    stack: AsyncDisposableStack;
  }) {
    this.daemon = parts.daemon;
    this.engine = parts.engine;
    this.mirror = parts.mirror;
    this.key = parts.key;
    this.#stack = parts.stack;
  }

  static async open(): Promise<UpgradePlace> {
    await using stack = new AsyncDisposableStack();
    const daemon = stack.use(await startDaemon());
    await launch(daemon);
    const engine = stack.use(await engineOf(daemon));
    const key = await signingKey(daemon.folder);
    const folder = join(daemon.folder, "mirror");
    await writeRepository(folder, key, smallReleases);
    const mirror = stack.use(await Mirror.open(folder, `${daemon.addressPrefix}1`));
    await createAptContainer(daemon, "base");
    const place = new UpgradePlace({ daemon, engine, mirror, key, stack: stack.move() });
    try {
      await place.#prepare();
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
    return place;
  }

  /** Has the mirror offer other releases in the place of some. */
  async offer(...suites: readonly FakeSuite[]): Promise<void> {
    const others = smallReleases.filter(({ suite }) => !suites.some((each) => each.suite === suite));
    await writeRepository(join(this.daemon.folder, "mirror"), this.key, [...others, ...suites]);
  }

  /** A running container of its own for a test. */
  async container(): Promise<string> {
    const name = `up${this.#count++}`.replace(/^up(\d)/, "up-$1");
    await (await this.engine.instances.copy("base", name)).wait();
    await startContainer(this.daemon, name);
    await reaches(this.engine, name, `${this.mirror.url}/dists/stretch/InRelease`);
    return name;
  }

  inside(name: string, script: string): Promise<string> {
    return runInside(this.engine, name, script);
  }

  /** Asks for an upgrade, which must be accepted. */
  async begin(containerName: string, targetVersion: Version): Promise<void> {
    const { status, failureReason } = await this.daemon.tremplin.upgradeContainer({
      containerName,
      targetVersion,
    });
    assert.equal(status, Answer.STARTED, failureReason);
  }

  /** An upgrade to its end. */
  async upgrade(name: string, target: Version): Promise<UpgradeContainerProgress> {
    await this.begin(name, target);
    return await this.daemon.listener.final("upgrade", name, 120_000);
  }

  /** All lines that the host was told, in order. */
  lines(name: string): string[] {
    return this.daemon.listener.messages("upgrade", name).flatMap(({ progressMessages }) => progressMessages);
  }

  log(name: string): Promise<string> {
    return readFile(join(this.daemon.folder, "state/upgrades", `${name}.log`), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #prepare(): Promise<void> {
    await startContainer(this.daemon, "base");
    await reaches(this.engine, "base", `${this.mirror.url}/dists/stretch/InRelease`);
    const sources = `deb ${this.mirror.url} stretch main\\n`;
    await copyFile(this.key.keyring, join(this.daemon.shared, "keyring.gpg"));
    const keyring = (await readFile(this.key.keyring)).toString("base64");
    await this.inside("base", `echo ${keyring} | base64 -d > /etc/apt/trusted.gpg.d/test.gpg`);
    await this.inside("base", `printf '${sources}' > /etc/apt/sources.list`);
    await this.inside("base", "apt-get -q update && apt-get -qy install tool");
    await (await this.engine.instances.setState("base", { action: "stop", force: true })).wait();
  }
}

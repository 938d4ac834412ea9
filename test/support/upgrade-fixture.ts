import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  UpgradeContainerResponse_Status as Answer,
  type UpgradeContainerProgress,
  type UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import type { InstanceUpdate } from "../../src/engine/resources/instance.ts";
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
import { eventually } from "./eventually.ts";
import { nameOnBridge } from "./name-on-bridge.ts";
import { runInside } from "./run-inside.ts";
import { launch, startContainer } from "./tiny-container.ts";

/** A package with a configuration file. */
export function tool(version: string, more: Partial<FakePackage> = {}): FakePackage {
  const files = { "etc/tool.conf": `made for ${version}\n`, "usr/share/tool/version": `${version}\n` };
  return { name: "tool", version, files, ...more };
}

/** The default content of the mirror: three releases of two packages. */
const smallReleases: readonly FakeSuite[] = [
  { suite: "stretch", packages: [baseFiles("9", "stretch"), tool("1")] },
  { suite: "buster", packages: [baseFiles("10", "buster"), tool("2")] },
  { suite: "bullseye", packages: [baseFiles("11", "bullseye"), tool("3")] },
];

/** Containers reach the mirror by its name alone, as real ones do. */
const MIRROR_NAME = "packages.example";

type Reached = () => Promise<unknown>;

/**
 * Five points of an upgrade from the oldest release to the next one. Each function makes the upgrade stop at its point,
 * and returns a function that resolves once the upgrade is there.
 */
export const points: Readonly<Record<string, (place: UpgradeFixture, name: string) => Promise<Reached>>> = {
  async "while the mirrors are checked"(place) {
    const asked = place.holding("dists/buster/InRelease");
    return () => asked;
  },
  async "while the old release is brought up to date"(place) {
    const asked = place.holding("dists/stretch/InRelease");
    return () => asked;
  },
  async "while packages are downloaded"(place) {
    const asked = place.holding("pool/tool_2");
    return () => asked;
  },
  async "while a package is configured"(place, name) {
    const scripts = { postinst: "mkfifo /run/gate; cat /run/gate" };
    await place.offer({ suite: "buster", packages: [baseFiles("10", "buster"), tool("2", { scripts })] });
    const isThere = () => place.inside(name, "test -p /run/gate").then(() => true);
    return () => place.until("the script of the package", isThere);
  },
  async "during the verification"(place, name) {
    const program = { "usr/bin/systemctl": "#!/bin/sh\necho starting\n" };
    const slow = tool("2", { files: program, scripts: { postinst: "chmod 755 /usr/bin/systemctl" } });
    await place.offer({ suite: "buster", packages: [baseFiles("10", "buster"), slow] });
    return () => place.until("the restart", async () => /restarting/.test(await place.log(name)));
  },
};

/** A daemon, a mirror of small releases on its bridge, and containers of the oldest one. */
export class UpgradeFixture implements AsyncDisposable {
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

  static async open(): Promise<UpgradeFixture> {
    await using stack = new AsyncDisposableStack();
    const daemon = stack.use(await startDaemon());
    await launch(daemon);
    const engine = stack.use(await engineOf(daemon));
    const key = await signingKey(daemon.folder);
    const folder = join(daemon.folder, "mirror");
    await writeRepository(folder, key, smallReleases);
    await nameOnBridge(daemon, engine, MIRROR_NAME);
    const mirror = stack.use(
      await Mirror.open(folder, { address: `${daemon.addressPrefix}1`, name: MIRROR_NAME }),
    );
    await createAptContainer(daemon, "base");
    const place = new UpgradeFixture({ daemon, engine, mirror, key, stack: stack.move() });
    try {
      await place.#prepare();
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
    return place;
  }

  /** Replaces releases on the mirror, and makes it respond. */
  async offer(...suites: readonly FakeSuite[]): Promise<void> {
    this.mirror.answers = () => true;
    await rm(join(this.daemon.folder, "mirror/debian-archive"), { recursive: true, force: true });
    const others = smallReleases.filter(({ suite }) => !suites.some((each) => each.suite === suite));
    await writeRepository(join(this.daemon.folder, "mirror"), this.key, [...others, ...suites]);
  }

  /** Moves a release from the mirror to the archive beside it, where its files have expired. */
  async archive(suite: string): Promise<void> {
    const folder = join(this.daemon.folder, "mirror");
    const [moved, kept] = [true, false].map((isMoved) =>
      smallReleases.filter((each) => (each.suite === suite) === isMoved),
    );
    await writeRepository(folder, this.key, kept ?? []);
    await writeRepository(join(folder, "debian-archive/debian"), this.key, moved ?? [], {
      made: new Date(Date.now() - 86_400_000),
      validUntil: new Date(Date.now() - 3600_000),
    });
  }

  /** Adds a repository of another vendor, with Debian's names, below the mirror. Returns its URI. */
  async vendor(origin: string): Promise<string> {
    const folder = join(this.daemon.folder, "mirror/vendor/debian");
    await writeRepository(folder, this.key, [{ suite: "stretch", origin, packages: [] }]);
    return `${this.mirror.url}/vendor/debian`;
  }

  /** Creates and starts a container for a test. */
  async container(): Promise<string> {
    const name = `up-${this.#count++}`;
    await (await this.engine.instances.copy("base", name)).wait();
    return await this.#started(name);
  }

  inside(name: string, script: string): Promise<string> {
    return runInside(this.engine, name, script);
  }

  /** As container(), in a pool with plain folders. */
  async containerOnFolders(): Promise<string> {
    const name = "on-folders";
    await this.engine.pools.create({ name: "folders", driver: "dir" });
    const root = { type: "disk", path: "/", pool: "folders" };
    const change = (instance: InstanceUpdate) => ({ ...instance, devices: { ...instance.devices, root } });
    await (await this.engine.instances.copy("base", name, { change })).wait();
    return await this.#started(name);
  }

  /** Limits the disk space of a container. */
  async limitDisk(name: string, size: string): Promise<void> {
    const root = { type: "disk", path: "/", pool: "default", size };
    await this.engine.instances.update(name, (instance) => ({
      ...instance,
      devices: { ...instance.devices, root },
    }));
  }

  /** Signs everything on the mirror with an expired key that the container trusts. */
  async expireKey(name: string): Promise<void> {
    const folder = join(this.daemon.folder, "expired");
    const key = await signingKey(folder, "1y", "20200101T000000");
    await this.trust(name, key);
    await writeRepository(join(this.daemon.folder, "mirror"), key, smallReleases, {
      signed: "20200601T000000",
    });
  }

  /** Dates the mirror's releases from tomorrow. */
  async comeFromTomorrow(): Promise<void> {
    const made = new Date(Date.now() + 86_400_000);
    await writeRepository(join(this.daemon.folder, "mirror"), this.key, smallReleases, { made });
  }

  /** Makes a container trust a key as it trusts Debian's. */
  async trust(name: string, { keyring, home }: SigningKey): Promise<void> {
    const bytes = (await readFile(keyring)).toString("base64");
    const file = `/etc/apt/trusted.gpg.d/${basename(dirname(home))}.gpg`;
    await this.inside(name, `echo ${bytes} | base64 -d > ${file}`);
  }

  /**
   * Delays the mirror's next response for a path that contains the text. Resolves when it is requested, with a function
   * that sends it.
   */
  holding(text: string, count = 1): Promise<() => void> {
    const asked = Promise.withResolvers<() => void>();
    let left = count;
    this.mirror.answers = async (path) => {
      if (!path.includes(text) || --left > 0) return true;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.mirror.answers = () => true;
      asked.resolve(resolve);
      await promise;
      return true;
    };
    return asked.promise;
  }

  /** Polls until the condition holds. */
  async until(what: string, look: () => Promise<boolean>): Promise<void> {
    await eventually(what, async () => ((await look().catch(() => false)) ? true : undefined), 60_000);
  }

  /** Requests an upgrade, which must be accepted. */
  async begin(containerName: string, targetVersion: Version): Promise<void> {
    const { status, failureReason } = await this.daemon.tremplin.upgradeContainer({
      containerName,
      targetVersion,
    });
    assert.equal(status, Answer.STARTED, failureReason);
  }

  /** Runs an upgrade to its end. */
  async upgrade(name: string, target: Version): Promise<UpgradeContainerProgress> {
    await this.begin(name, target);
    return await this.daemon.listener.final("upgrade", name, 120_000);
  }

  /** All lines that the host received, in order. */
  lines(name: string): string[] {
    return this.daemon.listener.messages("upgrade", name).flatMap(({ progressMessages }) => progressMessages);
  }

  log(name: string): Promise<string> {
    return readFile(join(this.daemon.folder, "state/upgrades", `${name}.log`), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #started(name: string): Promise<string> {
    await startContainer(this.daemon, name);
    await reaches(this.engine, name, `${this.mirror.url}/dists/stretch/InRelease`);
    return name;
  }

  async #prepare(): Promise<void> {
    await this.#started("base");
    const sources = `deb ${this.mirror.url} stretch main\\n`;
    await this.trust("base", this.key);
    await this.inside("base", `printf '${sources}' > /etc/apt/sources.list`);
    await this.inside("base", "apt-get -q update && apt-get -qy install tool");
    await (await this.engine.instances.setState("base", { action: "stop", force: true })).wait();
  }
}

import type { Engine } from "../../src/engine/engine.ts";
import type { EngineOperation } from "../../src/engine/operations/engine-operation.ts";
import type {
  Instance,
  InstanceCreate,
  InstanceUpdate,
  StateChange,
} from "../../src/engine/resources/instance.ts";

/** The short words of tests for what they do to containers, each waited for. */
export class ContainerActions {
  readonly #engine: Engine;
  readonly #image: string;

  /** Containers are created from `image`, a fingerprint. */
  constructor(engine: Engine, image: string) {
    this.#engine = engine;
    this.#image = image;
  }

  async create(name: string, body: Partial<InstanceCreate> = {}): Promise<Instance> {
    const source = { type: "image", fingerprint: this.#image } as const;
    await ended(this.#engine.instances.create({ source, ...body, name }));
    return await this.get(name);
  }

  async get(name: string): Promise<Instance> {
    return (await this.#engine.instances.get(name)).value;
  }

  /** Changes its state; a stop is by force. */
  async act(name: string, action: StateChange["action"]): Promise<Instance | undefined> {
    await ended(this.#engine.instances.setState(name, { action, force: action === "stop" }));
    return (await this.#engine.instances.list()).find((instance) => instance.name === name);
  }

  /** Sets keys of its configuration. */
  async set(name: string, config: InstanceUpdate["config"]): Promise<Instance> {
    await this.#engine.instances.update(name, (old) => ({ ...old, config: { ...old.config, ...config } }));
    return await this.get(name);
  }

  async rename(name: string, newName: string): Promise<void> {
    await ended(this.#engine.instances.rename(name, newName));
  }

  async delete(name: string): Promise<void> {
    await ended(this.#engine.instances.delete(name));
  }

  async snapshot(name: string, snapshot: string): Promise<void> {
    await ended(this.#engine.snapshots.create(name, snapshot));
  }

  async restore(name: string, snapshot: string): Promise<Instance> {
    await ended(this.#engine.snapshots.restore(name, snapshot));
    return await this.get(name);
  }

  async deleteSnapshot(name: string, snapshot: string): Promise<void> {
    await ended(this.#engine.snapshots.delete(name, snapshot));
  }

  /** The names of its snapshots. */
  async snapshots(name: string): Promise<string[]> {
    return (await this.#engine.snapshots.list(name)).map((snapshot) => snapshot.name);
  }

  async write(name: string, path: string, text: string): Promise<void> {
    using files = await this.#engine.fileSession(name);
    await files.create(path, Buffer.from(text), { uid: 0, gid: 0, mode: 0o644 });
  }

  async read(name: string, path: string): Promise<string> {
    using files = await this.#engine.fileSession(name);
    return String(await files.read(path, 1024));
  }
}

async function ended(starting: Promise<EngineOperation>): Promise<void> {
  await (await starting).wait();
}

import { after, before, beforeEach } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import type { Instance } from "../../src/engine/resources/instance.ts";
import type { TestDaemon } from "./daemon.ts";
import { engineCommandLine } from "./engine-command-line.ts";
import { engineOf } from "./engine-of.ts";
import { identityStep, leaveOperation, untilJournalEmpty } from "./journal.ts";
import { restartDaemon } from "./restart-daemon.ts";
import { createTiny, launchedDaemon } from "./tiny-container.ts";

/**
 * A daemon that is killed in the middle of an operation on a container, a new one for each test, and a person who
 * then works by hand with the engine's own command line, until the next daemon recovers the operation.
 */
export class InterruptedContainer {
  readonly #prefix: string;
  #daemon: TestDaemon | undefined;
  #engine: Engine | undefined;
  #byHand: ((...args: string[]) => Promise<string>) | undefined;
  #count = 0;

  /** Sets the hooks of a test file. The containers are called PREFIX-a, PREFIX-b ... */
  constructor(prefix: string) {
    this.#prefix = prefix;
    before(async () => {
      this.#daemon = await launchedDaemon();
      this.#engine = await engineOf(this.#daemon);
      this.#byHand = engineCommandLine(this.#daemon);
    });
    after(async () => {
      await this.#engine?.[Symbol.asyncDispose]();
      await this.#daemon?.[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      this.#count++;
      await createTiny(this.daemon, this.name);
    });
  }

  get daemon(): TestDaemon {
    return present(this.#daemon);
  }

  get engine(): Engine {
    return present(this.#engine);
  }

  /** The name of the container. */
  get name(): string {
    return `${this.#prefix}-${String.fromCharCode(96 + this.#count)}`;
  }

  /** The id of the operation. */
  get id(): string {
    return (0x1123456789abcd00n + BigInt(this.#count)).toString(16);
  }

  /** Runs the engine's own command line. */
  byHand(...args: string[]): Promise<string> {
    return present(this.#byHand)(...args);
  }

  /** The first step of an operation on the container as it is now. */
  async steps(): Promise<Record<string, string>> {
    return { ...(await identityStep(this.engine, this.name)) };
  }

  /** Kills the daemon and leaves an operation in its journal that has taken these steps. */
  async interrupt(kind: string, steps: Record<string, string>, startedAt = Date.now()): Promise<void> {
    if (this.daemon.isRunning) await this.daemon.kill();
    await leaveOperation(this.daemon, { id: this.id, kind, container: this.name, steps, startedAt });
  }

  /** Starts the daemon again, and resolves when it has recovered everything. */
  async restart(): Promise<void> {
    await restartDaemon(this.daemon);
    await untilJournalEmpty(this.daemon);
  }

  async instance(of = this.name): Promise<Instance> {
    return (await this.engine.instances.get(of)).value;
  }

  async status(of = this.name): Promise<number> {
    return (await this.instance(of)).status_code;
  }

  /** The names of all containers. */
  async names(): Promise<string[]> {
    return (await this.engine.instances.list()).map(({ name }) => name);
  }

  async snapshots(of = this.name): Promise<string[]> {
    return (await this.engine.snapshots.list(of)).map(({ name }) => name).toSorted();
  }

  /** Makes a file in /root of a running container, by a program in it. */
  async touch(of: string, file = "work"): Promise<void> {
    await this.byHand("exec", of, "--", "touch", `/root/${file}`);
  }

  /** Makes a file in /root of a stopped container. */
  async writeFile(of: string, file: string): Promise<void> {
    using files = await this.engine.fileSession(of);
    await files.create(`/root/${file}`, new Uint8Array(), { uid: 0, gid: 0, mode: 0o600 });
  }

  /** Whether there is a file in /root of a container. */
  async hasFile(of: string, file = "work"): Promise<boolean> {
    using files = await this.engine.fileSession(of);
    return (await files.list("/root", 100)).some((entry) => entry.name === file);
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the daemon is launched before the first test");
  return value;
}

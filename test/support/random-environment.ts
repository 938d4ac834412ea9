import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { silentLogger } from "../../src/base/logger.ts";
import { Engine_State as State } from "../../src/contract/tremplin/v1/guest_pb.js";
import { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
import { engineCommandLine } from "./engine-command-line.ts";
import { enginePid } from "./engine-pid.ts";
import { eventually } from "./eventually.ts";
import { exportContainer } from "./export-container.ts";
import { inContainer } from "./in-container.ts";
import { journalEntries, untilJournalEmpty } from "./journal.ts";
import { BACKUP } from "./random-requests.ts";
import type { RandomSource } from "./random-source.ts";
import { BY_HAND, MANY, type ObservedState, readState } from "./random-state.ts";
import { BASE, type RandomUser } from "./random-user.ts";
import { restartDaemon } from "./restart-daemon.ts";
import { createTiny, launch, startContainer } from "./tiny-container.ts";

/** The names that requests are about. */
export const SLOTS = ["ra-a", "ra-b", "ra-c"];
/** How many files a container has whose owners a change of privilege shifts. */
const FILES = 600;
/** For all clean-ups together. Milliseconds. */
const LONG = 120_000;
const KEPT_FILES = new Set(["rootfs.tar.gz", "metadata.tar.gz", BACKUP]);

export type Fault = "none" | "daemon" | "engine" | "daemon and engine" | "engine, then daemon" | "SIGTERM";

const FAULTS: readonly Fault[] = [
  ...Array<Fault>(10).fill("daemon"),
  ...Array<Fault>(2).fill("daemon and engine"),
  ...Array<Fault>(2).fill("engine, then daemon"),
  ...Array<Fault>(3).fill("engine"),
  ...Array<Fault>(2).fill("SIGTERM"),
  "none",
];

/** The daemon, its engine and its host, as they are killed and come back. */
export class RandomEnvironment {
  readonly #daemon: TestDaemon;
  readonly #engineByHand: (...words: string[]) => Promise<string>;
  #isHostAway = false;

  constructor(daemon: TestDaemon) {
    this.#daemon = daemon;
    this.#engineByHand = engineCommandLine(daemon);
  }

  /** Makes what persons copy their containers from, and what is imported. */
  async begin(): Promise<void> {
    const daemon = this.#daemon;
    await createTiny(daemon, BASE);
    await startContainer(daemon, BASE);
    const files = `mkdir -p /${MANY} /${BY_HAND}; i=0; while [ $i -lt ${FILES} ]; do echo > /${MANY}/$i; i=$((i+1)); done`;
    await inContainer(daemon, BASE, "sh", "-c", files);
    await daemon.tremplin.stopContainer({ containerName: BASE });
    await daemon.listener.final("stop", BASE);
    await exportContainer(daemon, BASE, BACKUP);
    await daemon.restart();
    await restartDaemon(daemon);
  }

  /** Brings the containers into random states. */
  async prepare(random: RandomSource, user: RandomUser, state: ObservedState): Promise<void> {
    for (const name of SLOTS) {
      const found = state.containers.find((each) => each.name === name);
      if (!found && random.chance(0.2)) continue;
      if (!found) await user.make(name);
      if (random.chance(0.2)) await user.do("snapshot", name, `mine-before-${random.below(1e9)}`);
      const hasRollbackSnapshot = found?.snapshots.some((each) => each.name.startsWith("tremplin-upgrade-"));
      if (!hasRollbackSnapshot && random.chance(0.4)) await this.#leaveRollbackSnapshot(random, user, name);
      const isRunning = found?.status === "Running";
      if (!isRunning && random.chance(0.5)) await user.do("start", name);
      else if (!isRunning && random.chance(0.6)) {
        await user.do("start", name);
        await user.do("stop", "--force", name);
      }
    }
  }

  readState(): Promise<ObservedState> {
    return this.#withEngine((engine) => readState(this.#daemon, engine));
  }

  async fault(random: RandomSource): Promise<Fault> {
    const fault = random.pick(FAULTS);
    const daemon = this.#daemon;
    if (random.chance(0.25)) {
      this.#isHostAway = true;
      await daemon.listener.goAway();
    }
    if (fault === "daemon" || fault === "daemon and engine") await daemon.kill();
    if (fault.includes("engine")) await this.#killEngine();
    if (fault === "SIGTERM") await daemon.stop();
    if (fault === "engine, then daemon") {
      await delay(random.below(1_500));
      await daemon.kill();
    }
    return fault;
  }

  get isHostAway(): boolean {
    return this.#isHostAway;
  }

  /** Resolves with whether there is an engine. */
  async isEngineThere(): Promise<boolean> {
    return await this.#engineByHand("query", "/1.0").then(
      () => true,
      () => false,
    );
  }

  /** Resolves once the engine works on nothing any more. */
  async engineRests(): Promise<void> {
    await eventually("the engine at rest", async () => {
      const answer = JSON.parse((await this.#engineByHand("query", "/1.0/operations")) || "{}");
      return ((answer as { running?: string[] }).running ?? []).length === 0 || undefined;
    });
  }

  /** Which operations have no end on disk. */
  async openOperations() {
    const entries = await journalEntries(this.#daemon);
    return entries.filter((entry) => !entry.final || entry.owed);
  }

  /** All are back, and nothing is left to clean up or to tell. */
  async restartAll(random: RandomSource): Promise<void> {
    const daemon = this.#daemon;
    const isNew = !daemon.isRunning;
    if (isNew) await daemon.launch();
    if (this.#isHostAway) {
      await delay(random.below(1_000));
      await daemon.listener.reopen();
      this.#isHostAway = false;
    }
    if (isNew) await daemon.listener.final("ready", "");
    const { engine } = await daemon.guest.getStatus({});
    if (isNew && engine?.state === State.STOPPED) await launch(daemon);
    await restartDaemon(daemon);
    await eventually("an empty journal", () => untilJournalEmpty(daemon).then(() => true), LONG);
  }

  /** Takes away what a round left of a user's. */
  async clear(random: RandomSource, user: RandomUser, { containers, shared }: ObservedState): Promise<void> {
    for (const { name, status, mark } of containers) {
      if (name === BASE) continue;
      if (
        !SLOTS.includes(name) ||
        status === "Frozen" ||
        status === "Error" ||
        mark !== undefined ||
        random.chance(0.3)
      )
        await user.delete(name);
    }
    for (const name of Object.keys(shared)) {
      if (!KEPT_FILES.has(name)) await rm(join(this.#daemon.shared, name), { force: true });
    }
  }

  /** What the daemon keeps on disk although nothing is open. */
  async stateLeft(): Promise<string[]> {
    const names = async (folder: string): Promise<string[]> =>
      (await readdir(join(this.#daemon.folder, "state", folder)).catch(() => [])).map(
        (name) => `${folder}/${name}`,
      );
    return [...(await names("journal")), ...(await names("refused"))];
  }

  async #leaveRollbackSnapshot(random: RandomSource, user: RandomUser, name: string): Promise<void> {
    const id = random
      .below(2 ** 32)
      .toString(16)
      .padStart(16, "0");
    await user.do("config", "set", name, `user.tremplin.operation=${id}`);
    await user.do("snapshot", name, `tremplin-upgrade-${id}`);
    await user.do("config", "unset", name, "user.tremplin.operation");
  }

  async #killEngine(): Promise<void> {
    process.kill(await enginePid(this.#daemon), "SIGKILL");
  }

  async #withEngine<T>(act: (engine: Engine) => Promise<T>): Promise<T> {
    const path = join(this.#daemon.folder, "state/lxd/unix.socket");
    await using engine = await Engine.connect({ kind: "unix", path }, { log: silentLogger });
    return await act(engine);
  }
}

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestDaemon } from "./daemon.ts";
import { engineCommandLine } from "./engine-command-line.ts";
import type { RandomSource } from "./random-source.ts";
import type { ContainerState } from "./random-state.ts";
import { BY_HAND } from "./random-state.ts";

/**
 * What a user did to a container. After a *going on* it is theirs as it is now; what they *set* in it stays; the
 * others say what it does at the moment. *Again* is what comes from a backup of the
 * engine's, *back* what comes from a snapshot of ours, with the mark that is in it.
 */
export type ActionKind = "go-on" | "again" | "back" | "set" | "write" | "state" | "gone";

/** The acts of a user by the container's uuid. */
export type Actions = Map<string, Set<ActionKind>>;

interface Action {
  readonly what: string;
  readonly kind: ActionKind;
  readonly words: readonly (readonly string[])[];
}

/** The source of containers that a user makes. */
export const BASE = "rs-base";

/** A user with the engine's own command line. */
export class RandomUser {
  readonly #daemon: TestDaemon;
  readonly #random: RandomSource;
  readonly #tell: (line: string) => void;
  readonly #engine: (...words: string[]) => Promise<string>;
  #count: number;

  constructor(
    daemon: TestDaemon,
    random: RandomSource,
    { tell, round }: { readonly tell: (line: string) => void; readonly round: number },
  ) {
    this.#daemon = daemon;
    this.#random = random;
    this.#tell = tell;
    this.#count = 1000 * round;
    this.#engine = engineCommandLine(daemon);
  }

  /** Does something to a container, and notes it in `acts` if the engine did it. */
  async act(on: ContainerState, acts: Actions): Promise<void> {
    const { what, kind, words } = this.#random.pick(this.#choices(on));
    // What a failed act had done of it is the user's too: the next state shows it.
    const isDone = await this.#do(`${what} ${on.name}`, words);
    // Of one that is not whole yet the engine refuses the start itself: nobody has used it by that.
    if (!isDone && (words.length === 1 || isUnfinished(on.name))) return;
    const of = acts.get(on.uuid) ?? new Set();
    acts.set(on.uuid, of.add(kind));
  }

  /** Makes a container under a name that nothing has. */
  async make(name: string): Promise<void> {
    await this.#do(`make ${name}`, [["copy", BASE, name, "--instance-only"]]);
  }

  async editProfile(): Promise<void> {
    const key = this.#random.pick(["limits.processes", "user.mine"]);
    await this.#do("edit the profile", [["profile", "set", "default", key, String(2000 + this.#next())]]);
  }

  async delete(name: string): Promise<void> {
    await this.#do(`clear ${name}`, [["delete", "--force", name]]);
  }

  async do(...words: string[]): Promise<void> {
    await this.#engine(...words);
  }

  #choices({ name, status, snapshots }: ContainerState): Action[] {
    const n = this.#next();
    const file = join(this.#daemon.folder, `by-hand-${n}`);
    const write = [
      "exec",
      name,
      "-T",
      "--",
      "sh",
      "-c",
      `mkdir -p /${BY_HAND}; echo ${n} > /${BY_HAND}/${n}`,
    ];
    const isRunning = status === "Running";
    const stop = isRunning || status === "Frozen" ? [["stop", "--force", name]] : [];
    const always: Action[] = [
      { what: "snapshot", kind: "set", words: [["snapshot", name, `mine-${n}`]] },
      { what: "set a key of", kind: "set", words: [["config", "set", name, `user.mine-${n}=${n}`]] },
      { what: "delete", kind: "gone", words: [["delete", "--force", name]] },
      {
        what: "make anew",
        kind: "gone",
        words: [
          ["delete", "--force", name],
          ["copy", BASE, name, "--instance-only"],
        ],
      },
      { what: "copy", kind: "state", words: [["copy", name, `copy-${n}`]] },
      { what: "rename", kind: "go-on", words: [...stop, ["rename", name, `kept-${n}`]] },
      {
        what: "export and import",
        kind: "again",
        words: [
          ["export", name, file],
          ["delete", "--force", name],
          ["import", file],
        ],
      },
    ];
    const restores = snapshots.map(
      (each): Action => ({
        what: `restore ${each.name} of`,
        kind: each.name.startsWith("tremplin-") ? "back" : "go-on",
        words: [...stop, ["restore", name, each.name]],
      }),
    );
    const now: Action[] = isRunning
      ? [
          { what: "write in", kind: "write", words: [write] },
          { what: "stop", kind: "state", words: stop },
          { what: "freeze", kind: "state", words: [["pause", name]] },
          { what: "stop and start", kind: "go-on", words: [...stop, ["start", name], write] },
        ]
      : [
          { what: "start", kind: "go-on", words: [["start", name]] },
          { what: "start and write in", kind: "go-on", words: [...stop, ["start", name], write] },
          {
            what: "start, write in and stop",
            kind: "go-on",
            words: [...stop, ["start", name], write, ["stop", "--force", name]],
          },
        ];
    const all = [...always, ...restores, ...now, ...now];
    // What is not whole yet is nobody's to keep, but who starts or renames it shows that they want it.
    return isUnfinished(name) ? all.filter(({ kind }) => kind !== "set" && kind !== "again") : all;
  }

  async #do(what: string, all: readonly (readonly string[])[]): Promise<boolean> {
    try {
      for (const words of all) await this.#engine(...words);
      this.#tell(`  by user: ${what}`);
      return true;
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      this.#tell(`  by user: ${what}: refused: ${(stderr || String(error)).trim().split("\n").at(-1)}`);
      return false;
    } finally {
      for (const words of all) if (words[0] === "export") await rm(words[2] ?? "", { force: true });
    }
  }

  #next(): number {
    return this.#count++;
  }
}

function isUnfinished(name: string): boolean {
  return /^tremplin-(create|import)-/.test(name);
}

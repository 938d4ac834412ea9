import * as z from "zod";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { JsonFile } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";
import { isTemporaryName } from "../../base/temporary-name.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { uuidOf } from "../containers/find-container.ts";
import {
  afterBoot,
  type Numbered,
  numbered,
  numberedPlaceSchema,
  type UsbPlace,
  withNumbers,
} from "./usb-numbers.ts";

const assignmentSchema = z.object({ container: z.string(), identity: z.string() });
/** `wishes` is the name on disk. Earlier versions wrote nothing else. */
const schema = z.object({
  /** By the number of the port. */
  wishes: z.record(z.string(), assignmentSchema),
  /** All ports that were ever seen: which one each number means. */
  ports: z.array(numberedPlaceSchema).default([]),
  /** The boot in which the ports were seen last. */
  boot: z.string().default(""),
});
type Content = Readonly<z.infer<typeof schema>>;

/** One key for all: changes of the file run one at a time. */
const MUTEX_KEY = "file";

/** The container that has a port: its identity, and the name it was last seen under. */
export type UsbAssignment = z.infer<typeof assignmentSchema>;

type Assignments = Readonly<Record<string, UsbAssignment>>;

/**
 * The containers that USB ports are assigned to, and the numbers of the ports, in a file that outlives the daemon. A
 * number means the same port for as long as there is the file, whatever else is plugged in.
 */
export class UsbAssignments {
  readonly #file: JsonFile<typeof schema>;
  readonly #log: Logger;
  readonly #mutex = new KeyedMutex();
  #content: Content;

  private constructor(file: JsonFile<typeof schema>, content: Content, log: Logger) {
    this.#file = file;
    this.#content = content;
    this.#log = log;
  }

  /** Reads the file. Sets a damaged one aside, and begins without assignments. */
  static async open(path: string, log: Logger): Promise<UsbAssignments> {
    const file = new JsonFile({ path, schema, without: "no USB port is assigned to a container" });
    const found = await file.readOrSetAside(log);
    return new UsbAssignments(file, found ?? { wishes: {}, ports: [], boot: "" }, log);
  }

  of(port: number): UsbAssignment | undefined {
    return this.#content.wishes[port];
  }

  /** The ports assigned to any container that were ever seen, with their numbers. */
  assigned(): readonly Numbered<UsbPlace>[] {
    return this.#content.ports.filter(({ number }) => this.of(number) !== undefined);
  }

  /**
   * Ports with their numbers, in the order of these. Numbers are given only once they are in the file: while it cannot
   * be written, ports never seen before are left out.
   */
  async number<Port extends UsbPlace>(
    found: readonly Port[],
    boot: string,
  ): Promise<readonly Numbered<Port>[]> {
    if (found.length === 0) return [];
    const give = (content: Content): Content => {
      const known = content.boot === boot ? content.ports : afterBoot(content.ports, found);
      const ports = withNumbers(known, found, Object.keys(content.wishes).map(Number));
      return { ...content, ports: [...ports], boot };
    };
    await this.#change(give).catch((error) =>
      this.#log.warn({ error }, "cannot write the numbers of USB ports: new ones cannot be used"),
    );
    return numbered(this.#content.ports, found);
  }

  /** The ports assigned to a container, ascending. */
  portsOf(container: Instance): readonly number[] {
    const own = uuidOf(container);
    const all = Object.entries(this.#content.wishes);
    return all.filter(([, assignment]) => assignment.identity === own).map(([port]) => Number(port));
  }

  async set(port: number, container: Instance): Promise<void> {
    const assignment = { container: container.name, identity: uuidOf(container) };
    await this.#changeAssignments((all) => ({ ...all, [port]: assignment }));
  }

  async remove(port: number): Promise<void> {
    await this.#changeAssignments(({ [port]: _, ...others }) => others);
  }

  /** Given all containers: drops assignments of deleted ones and follows renamed ones. */
  async follow(containers: readonly Instance[]): Promise<void> {
    const names = new Map(containers.map((each) => [uuidOf(each), each.name]));
    await this.#changeAssignments((all) => {
      const now: Record<string, UsbAssignment> = {};
      for (const [port, assignment] of Object.entries(all)) {
        const name = names.get(assignment.identity);
        if (name === undefined) continue;
        now[port] = isTemporaryName(name) ? assignment : { ...assignment, container: name };
      }
      return now;
    });
  }

  async #changeAssignments(change: (assignments: Assignments) => Assignments): Promise<void> {
    await this.#change((content) => ({ ...content, wishes: change(content.wishes) }));
  }

  async #change(change: (content: Content) => Content): Promise<void> {
    await this.#mutex.run(MUTEX_KEY, async () => {
      const content = change(this.#content);
      if (JSON.stringify(content) === JSON.stringify(this.#content)) return;
      await this.#file.write(content);
      this.#content = content;
    });
  }
}

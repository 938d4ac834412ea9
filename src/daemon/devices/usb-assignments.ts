import * as z from "zod";
import { JsonFile } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { uuidOf } from "../containers/find-container.ts";
import { isTemporaryName } from "../containers/temporary-name.ts";

const assignmentSchema = z.object({ container: z.string(), identity: z.string() });
/** The key is the name on disk. */
const schema = z.object({ wishes: z.record(z.string(), assignmentSchema) });

/** The container that has a port: its identity, and the name it was last seen under. */
export type UsbAssignment = z.infer<typeof assignmentSchema>;

type Assignments = Readonly<Record<string, UsbAssignment>>;

/** The containers that USB ports are assigned to, in a file that outlives the daemon. */
export class UsbAssignments {
  readonly #file: JsonFile<typeof schema>;
  #assignments: Assignments;

  private constructor(file: JsonFile<typeof schema>, assignments: Assignments) {
    this.#file = file;
    this.#assignments = assignments;
  }

  /** Reads the file. Sets a damaged one aside, and begins without assignments. */
  static async open(path: string, log: Logger): Promise<UsbAssignments> {
    const file = new JsonFile({ path, schema, without: "no USB port is assigned to a container" });
    const found = await file.readOrSetAside(log);
    return new UsbAssignments(file, found?.wishes ?? {});
  }

  of(port: number): UsbAssignment | undefined {
    return this.#assignments[port];
  }

  /** The ports assigned to a container, ascending. */
  portsOf(container: Instance): readonly number[] {
    const own = uuidOf(container);
    const all = Object.entries(this.#assignments);
    return all.filter(([, assignment]) => assignment.identity === own).map(([port]) => Number(port));
  }

  async set(port: number, container: Instance): Promise<void> {
    const assignment = { container: container.name, identity: uuidOf(container) };
    await this.#write({ ...this.#assignments, [port]: assignment });
  }

  async remove(port: number): Promise<void> {
    const { [port]: _, ...others } = this.#assignments;
    await this.#write(others);
  }

  /** Given all containers: drops assignments of deleted ones and follows renamed ones. */
  async follow(containers: readonly Instance[]): Promise<void> {
    const names = new Map(containers.map((each) => [uuidOf(each), each.name]));
    const now: Record<string, UsbAssignment> = {};
    for (const [port, assignment] of Object.entries(this.#assignments)) {
      const name = names.get(assignment.identity);
      if (name === undefined) continue;
      now[port] = isTemporaryName(name) ? assignment : { ...assignment, container: name };
    }
    await this.#write(now);
  }

  async #write(assignments: Assignments): Promise<void> {
    if (JSON.stringify(assignments) === JSON.stringify(this.#assignments)) return;
    await this.#file.write({ wishes: assignments });
    this.#assignments = assignments;
  }
}

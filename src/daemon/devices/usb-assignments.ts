import { rename } from "node:fs/promises";
import * as z from "zod";
import { replaceFile } from "../../base/files/durable-file.ts";
import { textOfFile } from "../../base/files/text-of-file.ts";
import type { Logger } from "../../base/logger.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { uuidOf } from "../containers/find-container.ts";
import { isTemporaryName } from "../containers/temporary-name.ts";

const wishSchema = z.object({ container: z.string(), identity: z.string() });
const schema = z.object({ wishes: z.record(z.string(), wishSchema) });

/** Who is to have a port: a container by its identity, under the name that it was last seen by. */
export type UsbAssignment = z.infer<typeof wishSchema>;

type Wishes = Readonly<Record<string, UsbAssignment>>;

/** Which container is to have what is plugged into a port, until it is detached: in a file, which outlives the daemon. */
export class UsbAssignments {
  readonly #path: string;
  #wishes: Wishes;

  private constructor(path: string, wishes: Wishes) {
    this.#path = path;
    this.#wishes = wishes;
  }

  /** A file that cannot be understood is set aside, and nobody is to have anything. */
  static async open(path: string, log: Logger): Promise<UsbAssignments> {
    const text = await textOfFile(path);
    if (text === undefined) return new UsbAssignments(path, {});
    try {
      return new UsbAssignments(path, schema.parse(JSON.parse(text)).wishes);
    } catch (error) {
      log.error({ error, path }, "which container has which USB port cannot be read; it is set aside");
      await rename(path, `${path}.unreadable`);
      return new UsbAssignments(path, {});
    }
  }

  of(port: number): UsbAssignment | undefined {
    return this.#wishes[port];
  }

  /** The ports that a container is to have, ascending. */
  portsOf(container: Instance): readonly number[] {
    const own = uuidOf(container);
    const all = Object.entries(this.#wishes);
    return all.filter(([, wish]) => wish.identity === own).map(([port]) => Number(port));
  }

  async set(port: number, container: Instance): Promise<void> {
    const wish = { container: container.name, identity: uuidOf(container) };
    await this.#write({ ...this.#wishes, [port]: wish });
  }

  async remove(port: number): Promise<void> {
    const { [port]: _, ...others } = this.#wishes;
    await this.#write(others);
  }

  /** These are all containers that there are: others have nothing any more, and a renamed one has its new name. */
  async follow(containers: readonly Instance[]): Promise<void> {
    const names = new Map(containers.map((each) => [uuidOf(each), each.name]));
    const now: Record<string, UsbAssignment> = {};
    for (const [port, wish] of Object.entries(this.#wishes)) {
      const name = names.get(wish.identity);
      if (name === undefined) continue;
      now[port] = isTemporaryName(name) ? wish : { ...wish, container: name };
    }
    await this.#write(now);
  }

  async #write(wishes: Wishes): Promise<void> {
    const text = JSON.stringify({ wishes });
    if (text === JSON.stringify({ wishes: this.#wishes })) return;
    await replaceFile(this.#path, text);
    this.#wishes = wishes;
  }
}

import { readFile } from "node:fs/promises";
import * as z from "zod";
import { replaceFile } from "../../base/durable-file.ts";

/**
 * What outlives the daemon. `wishes`: which container is to have what is plugged into a port, until it is detached.
 * `given`: which devices of a container are there by us; others are never touched. A container is its name and its
 * identity: another one of the same name has nothing.
 */
const schema = z.object({
  wishes: z.record(z.string(), z.object({ container: z.string(), identity: z.string() })),
  given: z.record(z.string(), z.object({ identity: z.string(), keys: z.array(z.string()) })),
});

type Content = z.infer<typeof schema>;

/** The wishes and the devices that were given, in a file. */
export class UsbRecord {
  readonly #path: string;
  #content: Content;

  private constructor(path: string, content: Content) {
    this.#path = path;
    this.#content = content;
  }

  /** A file that is missing or not ours is one without anything in it. */
  static async open(path: string): Promise<UsbRecord> {
    const text = await readFile(path, "utf8").catch(() => "{}");
    const read = schema.safeParse(parsed(text));
    return new UsbRecord(path, read.success ? read.data : { wishes: {}, given: {} });
  }

  /** Who is to have a port. */
  wish(port: number): Content["wishes"][string] | undefined {
    return this.#content.wishes[port];
  }

  /** The ports that a container is to have, ascending. */
  portsOf(container: string): readonly number[] {
    const all = Object.entries(this.#content.wishes);
    return all.filter(([, wish]) => wish.container === container).map(([port]) => Number(port));
  }

  /** The keys of its devices that are there by us. */
  given(container: string): Content["given"][string] | undefined {
    return this.#content.given[container];
  }

  /** Everyone who has, or is to have, something. */
  get containers(): readonly string[] {
    const wishing = Object.values(this.#content.wishes).map(({ container }) => container);
    return [...new Set([...wishing, ...Object.keys(this.#content.given)])];
  }

  async setWish(port: number, wish: Content["wishes"][string] | undefined): Promise<void> {
    const { [port]: _, ...wishes } = this.#content.wishes;
    await this.#write({ ...this.#content, wishes: wish ? { ...wishes, [port]: wish } : wishes });
  }

  async setGiven(container: string, given: Content["given"][string] | undefined): Promise<void> {
    const { [container]: _, ...others } = this.#content.given;
    await this.#write({ ...this.#content, given: given ? { ...others, [container]: given } : others });
  }

  /** It is gone, or another one has its name. */
  async forget(container: string): Promise<void> {
    const { [container]: _, ...given } = this.#content.given;
    const wishes = Object.entries(this.#content.wishes).filter(([, wish]) => wish.container !== container);
    await this.#write({ given, wishes: Object.fromEntries(wishes) });
  }

  async #write(content: Content): Promise<void> {
    await replaceFile(this.#path, JSON.stringify(content));
    this.#content = content;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

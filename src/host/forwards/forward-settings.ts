import * as z from "zod";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { type ErrorLog, JsonFile } from "../../base/files/json-file.ts";

/** A port of a container of a guest. */
export interface PortKey {
  readonly guest: string;
  readonly container: string;
  readonly port: number;
}

const containerSchema = z.object({ guest: z.string(), container: z.string() });
const portSchema = z.object({
  guest: z.string(),
  container: z.string(),
  port: z.number().int(),
  /** Unset: as the container's switch says. */
  enabled: z.boolean().optional(),
  /** The fixed port of this machine. */
  mappedTo: z.number().int().optional(),
});
const renameSchema = z.object({
  guest: z.string(),
  from: z.string(),
  to: z.string(),
  /** Empty until the guest has said that it accepts it. */
  operation: z.string(),
});
const schema = z.object({
  /** Containers whose ports are not forwarded. */
  off: z.array(containerSchema),
  ports: z.array(portSchema),
  /** Which of several containers with the same port keeps its number. */
  firstComers: z.array(z.object({ guest: z.string(), container: z.string(), port: z.number().int() })),
  /** Under way. */
  renames: z.array(renameSchema).optional(),
});

/** More are not under way; a guest that never ends one leaves nothing for ever. */
const MAX_RENAMES = 100;

type Content = z.output<typeof schema>;
type PortSetting = Content["ports"][number];
type Rename = z.output<typeof renameSchema>;
type NewRename = Omit<Rename, "operation">;

/** What a person, or the order of arrival, has decided of forwards. Kept in the host's folder. */
export class ForwardSettings {
  readonly #file: JsonFile<typeof schema>;
  #content: Content;
  readonly #mutex = new KeyedMutex();

  private constructor(file: JsonFile<typeof schema>, content: Content) {
    this.#file = file;
    this.#content = content;
  }

  static async open(path: string, log: ErrorLog): Promise<ForwardSettings> {
    const without = "all ports are forwarded, to the next free port of this machine";
    const file = new JsonFile({ path, schema, without });
    const content = (await file.readOrSetAside(log)) ?? { off: [], ports: [], firstComers: [] };
    return new ForwardSettings(file, content);
  }

  /** Those of single ports. */
  get ports(): readonly PortSetting[] {
    return this.#content.ports;
  }

  get switchedOff(): Content["off"] {
    return this.#content.off;
  }

  isEnabled({ guest, container, port }: PortKey): boolean {
    return this.#of({ guest, container, port })?.enabled ?? !this.#isOff(guest, container);
  }

  mappedTo(key: PortKey): number | undefined {
    return this.#of(key)?.mappedTo;
  }

  firstComer(port: number): PortKey | undefined {
    return this.#content.firstComers.find((each) => each.port === port);
  }

  /** Durable when it resolves; nothing has changed when it rejects. */
  async switchContainer(guest: string, container: string, enabled: boolean): Promise<void> {
    await this.#update(({ off, ...content }) => {
      const others = off.filter((each) => each.guest !== guest || each.container !== container);
      return { ...content, off: enabled ? others : [...others, { guest, container }] };
    });
  }

  /** Changes what is given. A fixed port of 0 means none. */
  async setPort(key: PortKey, change: { enabled?: boolean; mappedTo?: number }): Promise<void> {
    const { guest, container, port } = key;
    await this.#update((content) => {
      const setting: PortSetting = { guest, container, port, ...this.#of(key), ...change };
      // What says no more than the container's switch would hide a later change of that.
      if (setting.enabled === !this.#isOff(guest, container)) delete setting.enabled;
      if (!setting.mappedTo) delete setting.mappedTo;
      const others = content.ports.filter((each) => !isSamePort(each, key));
      const isSet = setting.enabled !== undefined || setting.mappedTo !== undefined;
      return { ...content, ports: isSet ? [...others, setting] : others };
    });
  }

  /** What is kept by the old name is to follow, if the guest that is now asked accepts that and succeeds. */
  async beginRename(rename: NewRename): Promise<void> {
    await this.#update(({ renames = [], ...content }) => {
      return { ...content, renames: [...renames, { ...rename, operation: "" }].slice(-MAX_RENAMES) };
    });
  }

  /** The guest has answered. Undefined: it will not do it. */
  async nameRename(rename: NewRename, operation: string | undefined): Promise<void> {
    await this.#update(({ renames = [], ...content }) => {
      const at = renames.findIndex((each) => each.operation === "" && isSameRename(each, rename));
      const named = at < 0 || operation === undefined ? [] : [{ ...rename, operation }];
      return { ...content, renames: [...renames.filter((_, index) => index !== at), ...named] };
    });
  }

  /** The rename that an operation of a guest, which has made a container of the new name, may be. */
  renameBy(guest: string, operation: string, to: string): Rename | undefined {
    const all = this.#content.renames?.filter((each) => each.guest === guest) ?? [];
    return (
      all.find((each) => each.operation === operation) ??
      all.find((each) => each.operation === "" && each.to === to)
    );
  }

  /** Moves what is kept by the old name if the operation has succeeded. */
  async endRename(rename: Rename, succeeded: boolean): Promise<void> {
    await this.#update(({ renames = [], ...content }) => {
      const rest = renames.filter(
        (each) => each.operation !== rename.operation || !isSameRename(each, rename),
      );
      return { ...(succeeded ? renamed(content, rename) : content), renames: rest };
    });
  }

  /** Another guest that gets the name has nothing to do with it. */
  async forgetGuest(guest: string): Promise<void> {
    const others = <T extends { readonly guest: string }>(all: readonly T[]): T[] =>
      all.filter((each) => each.guest !== guest);
    await this.#update(({ off, ports, firstComers, renames = [] }) => {
      return {
        ...{ off: others(off), ports: others(ports) },
        ...{ firstComers: others(firstComers), renames: others(renames) },
      };
    });
  }

  /** Unlike the others, never fails: only the order after a restart depends on it. */
  async setFirstComers(all: readonly PortKey[]): Promise<void> {
    const firstComers = all.map(({ guest, container, port }) => ({ guest, container, port }));
    if (JSON.stringify(firstComers) === JSON.stringify(this.#content.firstComers)) return;
    await this.#update((content) => ({ ...content, firstComers })).catch(() => undefined);
  }

  get firstComers(): readonly PortKey[] {
    return this.#content.firstComers;
  }

  #isOff(guest: string, container: string): boolean {
    return this.#content.off.some((each) => each.guest === guest && each.container === container);
  }

  #of(key: PortKey): PortSetting | undefined {
    return this.#content.ports.find((each) => isSamePort(each, key));
  }

  /** One change after the other, each of what the one before has left. */
  async #update(change: (content: Content) => Content): Promise<void> {
    await this.#mutex.run("", async () => {
      const content = change(this.#content);
      await this.#file.write(content);
      this.#content = content;
    });
  }
}

/** The container's own settings replace those that an earlier one has left under its new name. */
function renamed(content: Content, { guest, from, to }: Rename): Content {
  const move = <T extends { readonly guest: string; readonly container: string }>(all: readonly T[]): T[] => {
    const others = all.filter((each) => each.guest !== guest || each.container !== to);
    const isMoved = (each: T) => each.guest === guest && each.container === from;
    return others.map((each) => (isMoved(each) ? { ...each, container: to } : each));
  };
  const { off, ports, firstComers } = content;
  return { ...content, off: move(off), ports: move(ports), firstComers: move(firstComers) };
}

function isSameRename(one: NewRename, other: NewRename): boolean {
  return one.guest === other.guest && one.from === other.from && one.to === other.to;
}

export function isSamePort(one: PortKey, other: PortKey): boolean {
  return one.port === other.port && one.container === other.container && one.guest === other.guest;
}

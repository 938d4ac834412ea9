import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import { type Forward, ForwardSchema, Forward_State as State } from "../../contract/tremplin/v1/host_pb.js";
import { type ForwardSettings, isSamePort, type PortKey } from "./forward-settings.ts";
import { hostPorts } from "./host-ports.ts";
import type { HostPrograms } from "./host-programs.ts";
import type { LoopbackPort } from "./loopback-port.ts";

/** What is open for a port of a container. */
export interface Entry extends PortKey {
  /** Those that began to listen earlier have lower numbers. */
  readonly arrival: number;
  opened: LoopbackPort | undefined;
  /** Unless it is open. */
  state: State;
  reason: string;
  connections: number;
}

interface Options {
  readonly settings: ForwardSettings;
  /** The most that are open for one guest. */
  readonly most: number;
  /** Opens a port of this machine for an entry; undefined: something else uses it. */
  readonly open: (hostPort: number, entry: Entry) => Promise<LoopbackPort | undefined>;
  /** Programs of this machine. */
  readonly programs: Pick<HostPrograms, "note" | "keeps">;
  readonly log: Logger;
}

/** More ports of a guest than these are not even listed. */
const LISTED_FACTOR = 4;

/** The ports that containers listen on, and for each the port of this machine that leads to it. */
export class ForwardTable {
  readonly #options: Options;
  /** By guest, then by container and port. */
  readonly #guests = new Map<string, Map<string, Entry>>();
  /** Guests that do not answer. Their ports are those that they had. */
  readonly #away = new Set<string>();
  readonly #open = new Map<number, Entry>();
  #arrivals = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get guests(): readonly string[] {
    return [...this.#guests.keys()];
  }

  /** The ports of this machine that are open for containers. */
  get hostPorts(): readonly number[] {
    return [...this.#open.keys()];
  }

  /** A guest that has not answered yet. */
  addGuest(guest: string): void {
    this.#guests.set(guest, new Map());
    this.#away.add(guest);
  }

  removeGuest(guest: string): void {
    for (const entry of this.#entriesOf(guest)) this.#close(entry);
    this.#guests.delete(guest);
    this.#away.delete(guest);
  }

  /** A guest does not answer: its ports are closed, and open again when it reports them again. */
  setAway(guest: string): void {
    if (this.#guests.has(guest)) this.#away.add(guest);
  }

  /** All ports that the containers of a guest listen on now, already checked. */
  setPorts(guest: string, ports: Iterable<PortKey>): void {
    const entries = this.#guests.get(guest);
    if (!entries) return;
    this.#away.delete(guest);
    const listening = new Map<string, PortKey>();
    for (const key of ports) listening.set(`${key.container}:${key.port}`, key);
    for (const [text, entry] of entries) {
      if (listening.has(text)) continue;
      this.#close(entry);
      entries.delete(text);
    }
    const before = (key: PortKey): number => (this.#wasFirst(key) ? 0 : 1);
    const added = [...listening].filter(([text]) => !entries.has(text));
    for (const [text, key] of added.sort(([, one], [, other]) => before(one) - before(other))) {
      if (entries.size >= this.#options.most * LISTED_FACTOR) break;
      const arrival = this.#arrivals++;
      entries.set(text, {
        ...key,
        ...{ arrival, opened: undefined, state: State.BLOCKED, reason: "", connections: 0 },
      });
    }
  }

  /** Closes and opens what the settings and the guests demand. False: a port should be tried again later. */
  async apply(): Promise<boolean> {
    const open: Entry[] = [];
    for (const guest of this.#guests.keys()) {
      let count = 0;
      for (const entry of this.#entriesOf(guest)) {
        const [state, reason] = this.#obstacle(entry, count);
        if (state === undefined) {
          count++;
          open.push(entry);
          continue;
        }
        this.#close(entry);
        Object.assign(entry, { state, reason });
      }
    }
    // First all that must go, so that a port which changes hands is free.
    for (const entry of open) this.#closeIfMoved(entry);
    for (const entry of open.sort((one, other) => one.arrival - other.arrival)) {
      if (!entry.opened) await this.#openFor(entry);
    }
    await this.#options.settings.setFirstComers(this.#firstComers(open));
    return open.every(({ opened }) => opened);
  }

  /** What ListForwards shows. Default: of all guests. */
  list(guest?: string): Forward[] {
    const { settings } = this.#options;
    const names = this.guests.filter((name) => guest === undefined || name === guest);
    // Those of a guest that is not there any more are for one that gets its name.
    const isWanted = (each: { readonly guest: string }) => names.includes(each.guest);
    const listening = names.flatMap((name) => this.#entriesOf(name));
    const idle = settings.ports.filter((key) => isWanted(key) && !this.#find(key));
    const rows = [
      ...listening.map((entry) => this.#row(entry)),
      ...idle.map((key) => this.#idleRow(key)),
      ...settings.switchedOff.filter(isWanted).map((each) => {
        return row({ ...each, port: 0 }, { state: State.OFF, reason: "the container is switched off" });
      }),
    ];
    return rows.sort(inOrder);
  }

  /** Where a port of this machine leads, or is to lead; undefined: nowhere that is known here. */
  holderOf(hostPort: number): PortKey | undefined {
    return this.#mappedHere(hostPort) ?? this.#open.get(hostPort);
  }

  [Symbol.dispose](): void {
    for (const guest of this.guests) this.removeGuest(guest);
  }

  /** The port that a number of this machine is mapped to. */
  #mappedHere(hostPort: number): PortKey | undefined {
    return this.#options.settings.ports.find(
      ({ guest, mappedTo }) => mappedTo === hostPort && this.#guests.has(guest),
    );
  }

  #entriesOf(guest: string): Entry[] {
    return [...(this.#guests.get(guest)?.values() ?? [])];
  }

  #find({ guest, container, port }: PortKey): Entry | undefined {
    return this.#guests.get(guest)?.get(`${container}:${port}`);
  }

  /** Why a port is to be closed; nothing: it is to be open. */
  #obstacle(entry: Entry, count: number): [State, string] | [undefined] {
    const { settings, most } = this.#options;
    if (!settings.isEnabled(entry)) return [State.OFF, "switched off"];
    if (this.#away.has(entry.guest)) return [State.GUEST_AWAY, `guest ${entry.guest} does not answer`];
    if (count < most) return [undefined];
    return [State.OVER_LIMIT, `${most} ports of guest ${entry.guest} are open already`];
  }

  #close(entry: Entry): void {
    const { opened } = entry;
    if (!opened) return;
    opened[Symbol.dispose]();
    this.#open.delete(opened.port);
    entry.opened = undefined;
  }

  #closeIfMoved(entry: Entry): void {
    const { opened } = entry;
    const mapped = this.#options.settings.mappedTo(entry);
    const holder = opened && this.#mappedHere(opened.port);
    const isMoved = mapped !== undefined && opened?.port !== mapped;
    const wasMapped = mapped === undefined && entry.reason === MAPPED;
    if (isMoved || wasMapped || (holder && !isSamePort(holder, entry))) this.#close(entry);
  }

  async #openFor(entry: Entry): Promise<void> {
    const { settings, open, programs, log } = this.#options;
    const mapped = settings.mappedTo(entry);
    const candidates = mapped === undefined ? hostPorts(entry.port) : [mapped];
    const wasKept = programs.keeps(entry.port);
    try {
      for (const port of candidates) {
        if (this.#isKept(port, entry)) continue;
        const opened = await open(port, entry);
        if (!opened) {
          programs.note(port);
          continue;
        }
        // Its program or its guest went away meanwhile.
        if (this.#find(entry) !== entry) return opened[Symbol.dispose]();
        this.#open.set(port, entry);
        Object.assign(entry, { opened, reason: this.#reasonFor(port, entry, { mapped, wasKept }) });
        log.debug(
          { guest: entry.guest, container: entry.container, port: entry.port, at: port },
          "a port was forwarded",
        );
        return;
      }
      const reason =
        mapped === undefined ? "no port of this machine is free" : `port ${mapped} of this machine is in use`;
      Object.assign(entry, { state: State.BLOCKED, reason });
    } catch (error) {
      Object.assign(entry, { state: State.BLOCKED, reason: errorMessage(error) });
    }
  }

  /** Whether a port of this machine is for another one. */
  #isKept(hostPort: number, entry: Entry): boolean {
    const { settings, programs } = this.#options;
    const mapped = this.#mappedHere(hostPort);
    if (mapped) return !isSamePort(mapped, entry);
    if (this.#open.has(hostPort) || programs.keeps(hostPort)) return true;
    // It may still come back from a restart.
    const first = settings.firstComer(hostPort);
    return first !== undefined && !isSamePort(first, entry) && this.#away.has(first.guest);
  }

  /** `wasKept`: its own number was not even tried. */
  #reasonFor(
    hostPort: number,
    entry: Entry,
    { mapped, wasKept }: { mapped: number | undefined; wasKept: boolean },
  ): string {
    if (mapped !== undefined) return MAPPED;
    if (hostPort === entry.port) return "";
    const holder = this.holderOf(entry.port) ?? this.#options.settings.firstComer(entry.port);
    if (!holder || isSamePort(holder, entry)) {
      return `port ${entry.port} of this machine ${wasKept ? "is a program's that used it within the last minute" : "is in use"}`;
    }
    return `port ${entry.port} of this machine is for ${holder.guest} ${holder.container}:${holder.port}`;
  }

  #wasFirst(key: PortKey): boolean {
    const first = this.#options.settings.firstComer(key.port);
    return first !== undefined && isSamePort(first, key);
  }

  /** Those whose number another one wanted too, and those of guests that may come back. */
  #firstComers(open: readonly Entry[]): PortKey[] {
    const moved = new Set(
      open.filter((each) => each.opened && each.opened.port !== each.port).map(({ port }) => port),
    );
    const now = open.filter(({ opened, port }) => opened?.port === port && moved.has(port));
    const away = this.#options.settings.firstComers.filter(
      (each) => this.#away.has(each.guest) && !now.some(({ port }) => port === each.port),
    );
    return [...now, ...away].sort((one, other) => one.port - other.port);
  }

  #row(entry: Entry): Forward {
    const { opened, state, reason, connections } = entry;
    const mappedTo = this.#options.settings.mappedTo(entry) ?? 0;
    if (!opened) return row(entry, { state, reason, mappedTo, connections });
    const shown = { state: State.OPEN, hostPort: opened.port, reason: reason === MAPPED ? "" : reason };
    return row(entry, { ...shown, mappedTo, connections });
  }

  #idleRow(key: PortKey): Forward {
    const isOff = !this.#options.settings.isEnabled(key);
    const state = isOff ? State.OFF : this.#away.has(key.guest) ? State.GUEST_AWAY : State.IDLE;
    const reason = { [State.OFF]: "switched off", [State.IDLE]: "nothing listens in the container" };
    const away = `guest ${key.guest} does not answer`;
    return row(key, {
      state,
      reason: reason[state as State.OFF] ?? away,
      mappedTo: this.#options.settings.mappedTo(key) ?? 0,
    });
  }
}

const MAPPED = "mapped";

function row({ guest, container, port }: PortKey, rest: MessageInitShape<typeof ForwardSchema>): Forward {
  return create(ForwardSchema, { guest, containerName: container, port, ...rest });
}

function inOrder(one: Forward, other: Forward): number {
  const text = ({ guest, containerName }: Forward) => `${guest}\n${containerName}`;
  if (text(one) !== text(other)) return text(one) < text(other) ? -1 : 1;
  return one.port - other.port;
}

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Container,
  ContainerSchema,
  ListContainersResponseSchema,
} from "../../contract/tremplin/v1/guest_pb.js";
import { inTransaction } from "./database.ts";
import { portsText } from "./fold.ts";

/** A container as notices and the newest reading of its guest show it. */
export interface KnownContainer {
  /** Without usage. */
  readonly container: Container;
  readonly ports: readonly number[];
}

/** The containers of a guest at one time. */
export interface ContainerReading {
  readonly guest: string;
  readonly containers: readonly Container[];
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The newest event before the reading began. What later ones say about a container is newer than the reading. */
  readonly after: number;
}

/** How old the time of a reading may be that says nothing new. */
const REFRESH_MS = 60_000;

/** The containers of each guest as they were last known. */
export class LastKnown {
  readonly #database: DatabaseSync;
  readonly #changed: StatementSync;
  readonly #upsert: StatementSync;
  readonly #drop: StatementSync;
  readonly #save: StatementSync;
  readonly #load: StatementSync;
  readonly #folded: StatementSync;
  /** What was saved last, so that the same again costs no write. */
  readonly #saved = new Map<
    string,
    { readonly body: Uint8Array; readonly time: number; readonly at: number }
  >();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#changed = database.prepare(
      "SELECT DISTINCT container FROM event WHERE guest = ? AND final IN (0, 1) AND sequence > ?",
    );
    this.#upsert = database.prepare(
      `INSERT INTO container (guest, name, state, since, ports) VALUES (?, ?, ?, ?, '[]')
       ON CONFLICT DO UPDATE SET
         since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, state = excluded.state,
         ports = CASE WHEN excluded.state IN ('running', 'frozen') THEN ports ELSE '[]' END`,
    );
    this.#drop = database.prepare(
      `DELETE FROM container WHERE guest = ? AND name NOT IN (SELECT value FROM json_each(?))`,
    );
    this.#save = database.prepare(
      `INSERT INTO reading (guest, time, body) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET time = excluded.time, body = excluded.body`,
    );
    this.#load = database.prepare("SELECT time, body FROM reading WHERE guest = ?");
    this.#folded = database.prepare("SELECT name, state, ports FROM container WHERE guest = ? ORDER BY name");
  }

  /** Keeps what was read, except where notices have said something newer. `newest`: the newest event now. */
  keep({ guest, containers, time, after }: ContainerReading, newest: number): void {
    const lasting = containers.map((each) => create(ContainerSchema, { ...each, usage: undefined }));
    const body = toBinary(
      ListContainersResponseSchema,
      create(ListContainersResponseSchema, { containers: lasting }),
    );
    const saved = this.#saved.get(guest);
    const isNew = !saved || Buffer.compare(saved.body, body) !== 0 || time - saved.time > REFRESH_MS;
    if (!isNew && this.#changed.all(guest, saved.at).length === 0) return;
    const changed = new Set(this.#changed.all(guest, after).map(({ container }) => `${container}`));
    const unchanged = containers.filter(({ name }) => !changed.has(name));
    inTransaction(this.#database, () => {
      for (const { name, state } of unchanged) this.#upsert.run(guest, name, state, time);
      this.#drop.run(guest, JSON.stringify([...containers.map(({ name }) => name), ...changed]));
      this.#save.run(guest, time, body);
    });
    this.#saved.set(guest, { body, time, at: newest });
  }

  /** All containers of a guest, by name. `time`: of the newest reading. */
  of(guest: string): { readonly containers: readonly KnownContainer[]; readonly time: number | undefined } {
    const row = this.#load.get(guest);
    const read = row ? fromBinary(ListContainersResponseSchema, row.body as Uint8Array).containers : [];
    const details = new Map(read.map((each) => [each.name, each]));
    const containers = this.#folded.all(guest).map(({ name, state, ports }) => {
      const detail = details.get(`${name}`);
      const isSame = detail?.state === state;
      const places = isSame ? {} : { ipv4Address: "", addresses: [] };
      const facts = { name: `${name}`, state: `${state}`, operation: "", ...places };
      const container = Object.assign(create(ContainerSchema), detail, facts);
      return { container, ports: portsIn(ports) };
    });
    return { containers, time: row ? Number(row.time) : undefined };
  }

  /** The reported ports of each container of a guest. */
  ports(guest: string): ReadonlyMap<string, readonly number[]> {
    return new Map(this.#folded.all(guest).map(({ name, ports }) => [`${name}`, portsIn(ports)]));
  }

  forget(guest: string): void {
    this.#saved.delete(guest);
    inTransaction(this.#database, () => {
      this.#database.prepare("DELETE FROM reading WHERE guest = ?").run(guest);
      this.#database.prepare("DELETE FROM container WHERE guest = ?").run(guest);
    });
  }
}

/** Of a value that nobody can read, none: the next notice of the guest has them again. */
function portsIn(ports: unknown): number[] {
  return (portsText.safeDecode(`${ports}`).data ?? []).toSorted((a, b) => a - b);
}

import type { DatabaseSync, StatementSync } from "node:sqlite";
import * as z from "zod";
import { jsonText } from "../../base/text-codecs.ts";
import type { Event } from "../../contract/tremplin/v1/host_pb.js";
import { type NoticeText, noticeText } from "../notice-text.ts";

/** What an event says, apart from its text. */
export interface EventFacts {
  /** Empty for an event of the guest itself. */
  readonly container: string;
  /** Whether it ends an operation, or says the same once and for all: the last word about something. */
  readonly isFinal: boolean;
}

/** The events that say how something is now, so that only the newest of each container matters. */
const CURRENT = new Set(["ports"]);

export function factsOf(event: Event): EventFacts {
  const isFinal = noticeText(event)?.state !== "going" && !CURRENT.has(event.notice.case ?? "");
  return { container: containerOf(event), isFinal };
}

/** What a row says of the containers of an event with several is cut here. */
export const MAX_PLACE = 200;

/** Whether an event is about a container, alone or among others. */
export function isAbout({ notice }: Event, container: string): boolean {
  if (notice.case === "ports") return Object.hasOwn(notice.value.containerPorts, container);
  return (
    notice.value !== undefined && "containerName" in notice.value && notice.value.containerName === container
  );
}

function containerOf({ notice }: Event): string {
  if (notice.case === undefined || notice.case === "begun") return "";
  if (notice.case === "ports")
    return Object.keys(notice.value.containerPorts).sort().join(" ").slice(0, MAX_PLACE);
  return "containerName" in notice.value ? notice.value.containerName : "";
}

/**
 * Folds each event into the tables of guests, containers and operations, within the transaction that stores it. So the
 * state after a restart is that of the stored events.
 */
export class Fold {
  readonly #guest: StatementSync;
  readonly #operation: StatementSync;
  readonly #openOperation: StatementSync;
  readonly #container: StatementSync;
  readonly #ports: StatementSync;
  /** Of a container that no notice has named yet: it runs if it listens. */
  readonly #portsOfNew: StatementSync;
  readonly #deleted: StatementSync;

  constructor(database: DatabaseSync) {
    this.#guest = database.prepare(
      `INSERT INTO guest (name, ready, updated) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET ready = coalesce(excluded.ready, ready), updated = excluded.updated`,
    );
    this.#operation = database.prepare(
      `INSERT INTO operation (guest, id, kind, container, begun, updated, ended, state, percent, text, sequence)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET updated = excluded.updated, ended = excluded.ended, state = excluded.state,
         percent = coalesce(excluded.percent, percent), text = excluded.text, sequence = excluded.sequence
       WHERE ended IS NULL`,
    );
    this.#openOperation = database.prepare(
      `SELECT id FROM operation WHERE guest = ? AND kind = ? AND container = ? AND ended IS NULL
       ORDER BY sequence DESC LIMIT 1`,
    );
    this.#container = database.prepare(
      `INSERT INTO container (guest, name, state, since, ports) VALUES (?, ?, ?, ?, '[]')
       ON CONFLICT DO UPDATE SET
         since = CASE WHEN state = excluded.state THEN since ELSE excluded.since END, state = excluded.state,
         ports = CASE WHEN excluded.state = 'running' THEN ports ELSE '[]' END`,
    );
    this.#ports = database.prepare("UPDATE container SET ports = ? WHERE guest = ? AND name = ?");
    this.#portsOfNew = database.prepare(
      `INSERT INTO container (guest, name, state, since, ports) VALUES (?, ?, 'running', ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#deleted = database.prepare("DELETE FROM container WHERE guest = ? AND name = ?");
  }

  apply(event: Event, time: number): void {
    const { guest, notice } = event;
    const isReady = notice.case === "ready";
    this.#guest.run(guest, isReady ? time : null, time);
    const text = noticeText(event);
    if (text && text.container !== "" && notice.case !== "shutdown") this.#foldOperation(event, text, time);
    if (notice.case === "startLxd" && text) this.#foldOperation(event, text, time);
    this.#foldContainer(event, text, time);
  }

  #foldOperation({ guest, notice, operation, sequence }: Event, text: NoticeText, time: number): void {
    const kind = notice.case as string;
    // Guests that send no ids run one operation of a kind on a container at a time.
    const id = operation || this.#openId(guest, kind, text.container) || `at-${sequence}`;
    const ended = text.state === "going" ? null : time;
    this.#operation.run(
      ...[guest, id, kind, text.container, time, time, ended],
      ...[text.state, text.percent ?? null, text.text.slice(0, MAX_TEXT), Number(sequence)],
    );
  }

  #openId(guest: string, kind: string, container: string): string | undefined {
    return this.#openOperation.get(guest, kind, container)?.id as string | undefined;
  }

  #foldContainer({ guest, notice }: Event, text: NoticeText | undefined, time: number): void {
    if (notice.case === "ports") {
      for (const [name, { listeningTcp4Ports }] of Object.entries(notice.value.containerPorts)) {
        const ports = portsText.encode(listeningTcp4Ports.slice(0, MAX_PORTS));
        if (listeningTcp4Ports.length > 0) this.#portsOfNew.run(guest, name, time, ports);
        this.#ports.run(ports, guest, name);
      }
      return;
    }
    if (text?.state !== "done" || text.container === "") return;
    if (notice.case === "delete") this.#deleted.run(guest, text.container);
    const state = STATE_AFTER[notice.case ?? ""];
    if (state) this.#container.run(guest, text.container, state, time);
  }
}

/** The ports of a container, as the database has them. */
export const portsText = jsonText(z.array(z.number()));

/** The state of a container after an operation that succeeded. */
const STATE_AFTER: Readonly<Record<string, "running" | "stopped" | undefined>> = {
  create: "stopped",
  start: "running",
  stop: "stopped",
  shutdown: "stopped",
  import: "stopped",
};
const MAX_TEXT = 300;
const MAX_PORTS = 1000;

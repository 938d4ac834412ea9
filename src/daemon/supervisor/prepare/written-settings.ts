import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { JsonFile } from "../../../base/files/json-file.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { RecordedSettings } from "./merge-settings.ts";

const config = z.record(z.string(), z.string());
/** The entries of each part of the engine's settings: a value, or a device. */
const partsSchema = z.record(z.string(), z.record(z.string(), z.union([z.string(), config])));
const recordSchema = z.object({ confirmed: partsSchema, pending: partsSchema.optional() });
type Parts = Record<string, Record<string, string | Config>>;

interface Options {
  /** Absolute path of the record; undefined: no record is kept. */
  readonly file: string | undefined;
  /** Kept in memory until save(), because the engine's database may yet be replaced by an older one. */
  readonly deferred: boolean;
  readonly log: Logger;
}

/**
 * The settings of the engine that the daemon wrote, on disk: recorded as pending before a write and as confirmed after
 * it. So the daemon can distinguish a person's settings from its own, also after a kill during a write.
 */
export class WrittenSettings {
  readonly #options: Options;
  #confirmed: Parts;
  #pending: Parts | undefined;
  #dirty = false;

  private constructor(options: Options, confirmed: Parts, pending: Parts | undefined) {
    this.#options = options;
    this.#confirmed = confirmed;
    this.#pending = pending;
  }

  /** Reads the record. A damaged one is set aside, and counts as none. */
  static async open(options: Options): Promise<WrittenSettings> {
    const { file, log } = options;
    const record = file === undefined ? undefined : await fileOf(file).readOrSetAside(log);
    return new WrittenSettings(options, record?.confirmed ?? {}, record?.pending);
  }

  /** Removes from the record all parts except those given. */
  forgetAllBut(kept: ReadonlySet<string>): void {
    const only = (parts: Parts) =>
      Object.fromEntries(Object.entries(parts).filter(([part]) => kept.has(part)));
    this.#confirmed = only(this.#confirmed);
    if (this.#pending) this.#pending = only(this.#pending);
    this.#dirty = true;
  }

  /** Applies a change to the record of a part whose entries were changed in the engine in the same way. */
  async follow<T extends string | Config>(
    part: string,
    change: (entries: Record<string, T>) => Promise<Record<string, T>>,
  ): Promise<void> {
    const entries = this.#confirmed[part];
    if (!entries) return;
    this.#confirmed = { ...this.#confirmed, [part]: await change(entries as Record<string, T>) };
    this.#dirty = true;
  }

  /** The record of a part. The caller chooses the type of its entries. */
  of<T extends string | Config>(part: string): RecordedSettings<T> {
    return {
      confirmed: this.#confirmed[part] as Record<string, T> | undefined,
      pending: this.#pending?.[part] as Record<string, T> | undefined,
    };
  }

  /** Records entries before they are written. */
  async begin(parts: Parts): Promise<void> {
    this.#pending = { ...this.#pending, ...parts };
    this.#dirty = true;
    if (!this.#options.deferred) await this.save();
  }

  /** Records entries that were written, or existed already. */
  async confirm(parts: Parts): Promise<void> {
    const pending = Object.entries(this.#pending ?? {}).filter(([part]) => !(part in parts));
    const before = { confirmed: this.#confirmed, pending: this.#pending };
    this.#confirmed = { ...this.#confirmed, ...parts };
    this.#pending = pending.length > 0 ? Object.fromEntries(pending) : undefined;
    if (!isDeepStrictEqual(before, { confirmed: this.#confirmed, pending: this.#pending }))
      this.#dirty = true;
    if (!this.#options.deferred) await this.save();
  }

  /** Writes the record to disk, durably. */
  async save(): Promise<void> {
    const { file } = this.#options;
    if (!file || !this.#dirty) return;
    await fileOf(file).write({ confirmed: this.#confirmed, pending: this.#pending });
    this.#dirty = false;
  }
}

function fileOf(path: string) {
  return new JsonFile({
    path,
    schema: recordSchema,
    without: "settings of the engine that differ from this program's count as a person's and stay",
  });
}

export function settingsFile(engineFolder: string): string {
  return `${engineFolder}.settings.json`;
}

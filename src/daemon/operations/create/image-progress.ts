import type { Engine } from "../../../engine/engine.ts";
import type { OperationRecord } from "../../../engine/operations/operation-record.ts";
import { downloadProgress, unpackProgress } from "../../../engine/operations/progress.ts";
import type { InstanceSource } from "../../../engine/resources/instance.ts";

/** A download that has not moved for this long has failed. */
const STALLED_MS = 5 * 60_000;

/** The cause of an error: a download stands still. */
export class StalledDownload {}

/** What an engine reports while it creates a container from an image: first a download, if it needs one, then the unpacking. */
export class ImageProgress {
  /** Of the download; never decreases. */
  percent = 0;
  #download: string | undefined;
  #unpacked: number | undefined;
  #checked: string;
  #silentFor = 0;

  constructor() {
    this.#checked = this.#state;
  }

  /** Returns whether the percentage of the download is to be reported. */
  update(operation: OperationRecord): boolean {
    this.#unpacked = unpackProgress(operation)?.percent ?? this.#unpacked;
    const percent = downloadProgress(operation);
    if (percent === undefined) return false;
    this.#download = String(operation.metadata?.download_progress);
    // The engine sends its events in parallel, so an older one may come later.
    if (percent < this.percent) return false;
    this.percent = percent;
    return true;
  }

  /** Called after each interval without a report. Returns for how long a download has not moved, if that is too long. */
  async stalledFor(interval: number, engine: Engine, source: InstanceSource): Promise<number | undefined> {
    this.#silentFor = this.#state === this.#checked ? this.#silentFor + interval : 0;
    this.#checked = this.#state;
    if (this.#silentFor < STALLED_MS) return undefined;
    return (await this.#isDownloading(engine, source)) ? this.#silentFor : undefined;
  }

  get #state(): string {
    return JSON.stringify([this.percent, this.#download, this.#unpacked]);
  }

  /** Unpacking may take as long as it takes, and not every engine reports it. */
  async #isDownloading(engine: Engine, source: InstanceSource): Promise<boolean> {
    if (source.type !== "image" || source.server === undefined) return false;
    if (this.percent === 100 || this.#unpacked !== undefined) return false;
    if (this.#download !== undefined) return true;
    // It reports nothing: either the server does not answer, or no download is needed.
    const { server, alias } = source;
    const images = await engine.images.list();
    return !images.some(
      ({ update_source: from }) => from && sameUrl(from.server, server) && from.alias === alias,
    );
  }
}

function sameUrl(one: string, other: string): boolean {
  return one.replace(/\/+$/, "") === other.replace(/\/+$/, "");
}

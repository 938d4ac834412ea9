import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../src/base/logger.ts";
import { Engine } from "../../../src/engine/engine.ts";
import { collectionRoutes } from "./collections.ts";
import { type Execute, MemoryExec } from "./exec.ts";
import { Fault, Faults, type HeldRequest, type HoldOptions } from "./faults.ts";
import { Holdings } from "./holdings.ts";
import { type ImageRecord, readImage } from "./image-record.ts";
import { imageRoutes } from "./images.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { stateRoutes } from "./instance-state.ts";
import { instanceRoutes } from "./instances.ts";
import { RestServer } from "./rest-server.ts";
import { serverRoutes } from "./server-info.ts";
import { snapshotRoutes } from "./snapshots.ts";

/** The two files of an image. */
export interface ImageBytes {
  readonly metadata: Buffer;
  readonly rootfs: Buffer;
}

/**
 * An engine whose containers are words in memory. It answers the REST API of LXD 5.0 on a unix socket, so the real
 * client works with it; test/support/engine-behaviour.ts holds it to what the real one does. Faults come on request.
 */
export class MemoryEngine implements AsyncDisposable {
  readonly address: { readonly kind: "unix"; readonly path: string };
  /** All that it holds. A test may look at it and change it, as a person behind the daemon's back would. */
  readonly holdings = new Holdings();
  readonly #folder: string;
  readonly #exec = new MemoryExec();
  readonly #faults = new Faults();
  readonly #server: RestServer;
  #alive = Promise.withResolvers<void>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.address = { kind: "unix", path: join(folder, "unix.socket") };
    const { holdings } = this;
    const routes = [
      ...serverRoutes(),
      ...instanceRoutes(holdings),
      ...stateRoutes(holdings),
      ...snapshotRoutes(holdings),
      ...this.#exec.routes(holdings),
      ...imageRoutes(holdings),
      ...collectionRoutes(holdings),
      ...holdings.operations.routes(),
    ];
    this.#server = new RestServer({ routes, faults: this.#faults, holdings, exec: this.#exec });
  }

  static async open(): Promise<MemoryEngine> {
    const engine = new MemoryEngine(await mkdtemp(join(tmpdir(), "memory-engine-")));
    await engine.revive();
    return engine;
  }

  /** A client of it, disposed by the caller. */
  connect(): Promise<Engine> {
    return Engine.connect(this.address, { log: silentLogger });
  }

  /** Decides what programs in its instances do. */
  set execute(execute: Execute) {
    this.#exec.execute = execute;
  }

  /** Puts an image in; gives its fingerprint. */
  addImage(bytes: ImageBytes): string {
    const image = this.#read(bytes);
    this.holdings.images.set(image.fingerprint, image);
    return image.fingerprint;
  }

  /** Gives the image servers an image. */
  addRemoteImage(alias: string, bytes: ImageBytes): void {
    this.holdings.remoteImages.set(alias, this.#read(bytes));
  }

  /** An instance as it is held. Throws where there is none. */
  instance(name: string): InstanceRecord {
    return this.holdings.instance(name);
  }

  /** The next such request fails with these words: its operation, where it starts one, unless `status` is given. */
  failNext(method: string, path: RegExp, words: string, { status }: { readonly status?: number } = {}): void {
    this.#faults
      .add(new Fault(method, path, status === undefined ? {} : { status, isRefused: true }))
      .fail(words);
  }

  /** The next such request is held back, with the operation that it starts, until the test lets it go on. */
  hold(method: string, path: RegExp, options: HoldOptions = {}): HeldRequest {
    return this.#faults.add(new Fault(method, path, options));
  }

  /** It is gone at once: connections break, and what was under way is forgotten. Its containers go on running. */
  async die(): Promise<void> {
    this.#alive = Promise.withResolvers<void>();
    await this.#server.close();
    this.holdings.operations.abandonAll();
  }

  /** Answers again after it died. */
  async revive(): Promise<void> {
    await this.#server.listen(this.address.path);
    this.#alive.resolve();
  }

  /** Resolves once it answers. */
  get alive(): Promise<void> {
    return this.#alive.promise;
  }

  #read({ metadata, rootfs }: ImageBytes): ImageRecord {
    return readImage([metadata, rootfs], { filename: "rootfs", uploadedAt: this.holdings.times.next() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    await rm(this.#folder, { recursive: true });
  }
}

import { abortable } from "../../base/async/abortable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EventStream, Subscription } from "../events/event-stream.ts";
import type { Flavor } from "../flavors/flavor.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp, EngineRequest } from "../http/engine-http.ts";
import { EngineOperation } from "./engine-operation.ts";
import { changesInstance, hasEnded, type OperationRecord } from "./operation-record.ts";

/** Starts operations of the engine, and finds those that others started. */
export class OperationsApi {
  readonly #http: EngineHttp;
  readonly #events: EventStream;
  readonly #flavor: Flavor;

  constructor(http: EngineHttp, events: EventStream, flavor: Flavor) {
    this.#http = http;
    this.#events = events;
    this.#flavor = flavor;
  }

  /** Sends a request that starts an operation. It subscribes to the events before, so that none is missed. */
  async start(request: EngineRequest): Promise<EngineOperation> {
    const early: OperationRecord[] = [];
    let deliver = (update: OperationRecord): void => void early.push(update);
    const subscription = this.#subscribe((update) => deliver(update));
    try {
      await abortable(subscription.ready, request.signal);
      const { metadata, async } = await this.#http.call<OperationRecord>(request);
      if (!async) throw new TremplinError("failed", `${request.method} ${request.path} started no operation`);
      const operation = this.#attach(metadata, subscription);
      deliver = (update) => operation.deliver(update);
      for (const update of early) deliver(update);
      return operation;
    } catch (error) {
      subscription[Symbol.dispose]();
      throw error;
    }
  }

  /** Like start(), and waits for the end. */
  async run(request: EngineRequest): Promise<OperationRecord> {
    const operation = await this.start(request);
    return operation.wait({ signal: request.signal });
  }

  /** All operations that are running or ended within the last 5 s. */
  async list({ signal }: CallOptions = {}): Promise<OperationRecord[]> {
    const query = { recursion: "1" };
    const { metadata } = await this.#http.call<Record<string, OperationRecord[]>>({
      method: "GET",
      path: "/1.0/operations",
      query,
      signal,
    });
    return Object.values(metadata ?? {}).flat();
  }

  /** The running operations of any client that change an instance, to wait for or to cancel. */
  changing(instance: string, options: CallOptions = {}): Promise<EngineOperation[]> {
    return this.#underWay((operation) => changesInstance(operation, instance, this.#flavor.texts), options);
  }

  /** The running uploads of images by any client. Downloads have the same description, but report a percentage. */
  uploads(options: CallOptions = {}): Promise<EngineOperation[]> {
    const isUpload = ({ description, resources, metadata }: OperationRecord): boolean =>
      description === this.#flavor.texts.imageTransfer &&
      !resources?.instances &&
      !metadata?.download_progress;
    return this.#underWay(isUpload, options);
  }

  async #underWay(
    wanted: (operation: OperationRecord) => boolean,
    options: CallOptions,
  ): Promise<EngineOperation[]> {
    const all = await this.list(options);
    const found = all.filter((operation) => !hasEnded(operation) && wanted(operation));
    return found.map((initial) => {
      const subscription = this.#subscribe((update) => operation.deliver(update));
      const operation = this.#attach(initial, subscription);
      return operation;
    });
  }

  #subscribe(listener: (update: OperationRecord) => void): Subscription {
    return this.#events.subscribe({ types: ["operation"] }, (event) => {
      if (event.type === "operation") listener(event.metadata);
    });
  }

  #attach(initial: OperationRecord, subscription: Subscription): EngineOperation {
    const operation = new EngineOperation(this.#http, initial, this.#flavor.api.waitHidesOperation);
    const release = () => subscription[Symbol.dispose]();
    operation.wait().then(release, release);
    return operation;
  }
}

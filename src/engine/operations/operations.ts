import { abortable } from "../../base/async/abortable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EventStream, Subscription } from "../events/event-stream.ts";
import type { Flavor } from "../flavors/flavor.ts";
import type { EngineHttp, EngineRequest } from "../http/engine-http.ts";
import type { Options } from "../http/options.ts";
import { EngineOperation } from "./engine-operation.ts";
import { changesInstance, hasEnded, type Operation } from "./operation.ts";

/** The engine's work in the background: starting it, and finding what somebody else started. */
export class Operations {
  readonly #http: EngineHttp;
  readonly #events: EventStream;
  readonly #flavor: Flavor;

  constructor(http: EngineHttp, events: EventStream, flavor: Flavor) {
    this.#http = http;
    this.#events = events;
    this.#flavor = flavor;
  }

  /** Sends a request that starts an operation. Events are listened to before, so that none is missed. */
  async start(request: EngineRequest): Promise<EngineOperation> {
    const early: Operation[] = [];
    let deliver = (update: Operation): void => void early.push(update);
    const subscription = this.#subscribe((update) => deliver(update));
    try {
      await abortable(subscription.ready, request.signal);
      const { metadata, async } = await this.#http.call<Operation>(request);
      if (!async) throw new TremplinError("failed", `${request.method} ${request.path} began no operation`);
      const operation = this.#attach(metadata, subscription);
      deliver = (update) => operation.deliver(update);
      for (const update of early) deliver(update);
      return operation;
    } catch (error) {
      subscription[Symbol.dispose]();
      throw error;
    }
  }

  /** start(), and wait for the end. */
  async run(request: EngineRequest): Promise<Operation> {
    const operation = await this.start(request);
    return operation.wait({ signal: request.signal });
  }

  /** All that the engine knows of, ended within the last 5 s or under way. */
  async list({ signal }: Options = {}): Promise<Operation[]> {
    const query = { recursion: "1" };
    const { metadata } = await this.#http.call<Record<string, Operation[]>>({
      method: "GET",
      path: "/1.0/operations",
      query,
      signal,
    });
    return Object.values(metadata ?? {}).flat();
  }

  /** Those under way that change an instance, whoever started them: to be waited for or cancelled. */
  changing(instance: string, options: Options = {}): Promise<EngineOperation[]> {
    return this.#underWay((operation) => changesInstance(operation, instance, this.#flavor.texts), options);
  }

  /** Uploads of images under way, whoever sends them. Downloads, which are told by the same word, tell a percentage. */
  uploads(options: Options = {}): Promise<EngineOperation[]> {
    const isUpload = ({ description, resources, metadata }: Operation): boolean =>
      description === this.#flavor.texts.imageTransfer &&
      !resources?.instances &&
      !metadata?.download_progress;
    return this.#underWay(isUpload, options);
  }

  async #underWay(wanted: (operation: Operation) => boolean, options: Options): Promise<EngineOperation[]> {
    const all = await this.list(options);
    const found = all.filter((operation) => !hasEnded(operation) && wanted(operation));
    return found.map((begun) => {
      const subscription = this.#subscribe((update) => operation.deliver(update));
      const operation = this.#attach(begun, subscription);
      return operation;
    });
  }

  #subscribe(listener: (update: Operation) => void): Subscription {
    return this.#events.subscribe({ types: ["operation"] }, (event) => {
      if (event.type === "operation") listener(event.metadata);
    });
  }

  #attach(begun: Operation, subscription: Subscription): EngineOperation {
    const operation = new EngineOperation(this.#http, begun, this.#flavor.api.waitHidesOperation);
    const release = () => subscription[Symbol.dispose]();
    operation.wait().then(release, release);
    return operation;
  }
}

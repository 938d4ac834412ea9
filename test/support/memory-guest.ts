import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  type HandlerContext,
  type ServiceImpl,
} from "@connectrpc/connect";
import {
  type Container,
  type ContainerSchema,
  Engine_State,
  type GetStatusResponse,
  Guest,
  type OrphanSchema,
  type ShareSchema,
  type ShellInput_Start,
} from "../../src/contract/tremplin/v1/guest_pb.js";
import { Tremplin, TremplinListener } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { type Connection, dial } from "../../src/transport/client.ts";
import { serve } from "../../src/transport/server.ts";
import type { Tls } from "../../src/transport/tls.ts";
import { backupHandlers } from "./memory-backups.ts";
import { guestHandlers } from "./memory-guest-service.ts";
import { creationHandlers, launchHandlers, powerHandlers } from "./memory-lifecycle.ts";
import { MemoryPorts } from "./memory-ports.ts";
import { queryHandlers } from "./memory-queries.ts";
import { upgradeHandlers } from "./memory-upgrades.ts";
import { MemoryUsb } from "./memory-usb.ts";

export interface MemoryGuestOptions {
  readonly address: Address;
  /** Where its notices go. */
  readonly host: Address;
  /** For both, on tcp. */
  readonly tls?: Tls;
  /** Implements the contract only and sends no daemon id, as the original does. */
  readonly unchanged?: boolean;
}

/** A guest whose containers exist in memory only: the other side of the wire for tests of host and command line. */
export class MemoryGuest implements AsyncDisposable {
  readonly daemonId = randomUUID();
  readonly containers = new Map<string, string>();
  /** Of every container. */
  readonly settings: Record<string, string> = { cpu: "unlimited", memory: "1GiB", autostart: "off" };
  #measured = 0;
  /** By container and path. */
  readonly shares = new Map<string, MessageInitShape<typeof ShareSchema>>();
  /** As NAME/SNAPSHOT. */
  readonly snapshots = new Set<string>();
  readonly operations: { id: string; kind: string; containerName: string; waitsForRecovery?: boolean }[] = [];
  /** The requests it received, in order. */
  readonly asked: string[] = [];
  engine = Engine_State.RUNNING;
  /** Operations end only after this promise. */
  gate: Promise<unknown> = Promise.resolve();
  /** A rename that it has accepted is answered only after this promise. */
  answers: Promise<unknown> = Promise.resolve();
  /** More fields of each container in its list. */
  containerFields: Partial<
    Pick<
      Container,
      "state" | "operation" | "ipv4Address" | "addresses" | "image" | "createdAt" | "hasRollbackSnapshot"
    >
  > = {};
  /** More fields of one container in its list. */
  fieldsOf: (name: string) => Exclude<MessageInitShape<typeof ContainerSchema>, Container> = () => ({});
  /** How often it was asked for its list. */
  lists = 0;
  /** Set to make every operation fail with this reason. */
  fault = "";
  /** The shared folder, on disk. */
  get shared(): string {
    const { address } = this.#options;
    return address.kind === "unix" ? dirname(address.path) : "/nowhere";
  }
  /** The size of each backup that it writes; 0: that of a text. */
  backupBytes = 0;
  /** What it sends of any backup, in place of its file. */
  transferChunks: { readonly data: Uint8Array<ArrayBuffer>; readonly totalBytes: bigint }[] | undefined;
  /** What an export adds to its success. */
  remark = "";
  /** More fields of its status. */
  status: Partial<GetStatusResponse> = {};
  readonly orphans: MessageInitShape<typeof OrphanSchema>[] = [];
  readonly problems: { readonly area: string; readonly problem: string; readonly advice: string }[] = [];
  /** Containers in which only TZ can be set. */
  readonly withoutZones = new Set<string>();
  /** The time zone of each container. */
  zone = "Europe/Paris";
  /** Of each container that runs. */
  address = "10.0.0.1";
  /** Of each container in which none was set up. Empty: none. */
  defaultUser = "ada";
  /** The first account that was set up, in any container. */
  primaryUser = "";
  debugText = "== daemon\nversion \u001b[31m1\n";
  /** What its answers say beside their messages. */
  notes: string[] = [];
  /** The programs that run in its containers now, as they were started. */
  readonly shells: ShellInput_Start[] = [];
  /** What login shells have read. */
  typed = "";
  /** Bytes that login shells have written because of `flood`. */
  flooded = 0;
  /** What the programs of login shells print. */
  readonly programs = new Map<string, string>();
  /** Serves the files of containers. */
  copies: Pick<ServiceImpl<typeof Guest>, "readFiles" | "writeFiles"> | undefined;
  readonly usb = new MemoryUsb();
  readonly ports = new MemoryPorts();
  readonly #options: MemoryGuestOptions;
  readonly #connection: Connection;
  readonly #listener: Client<typeof TremplinListener>;
  readonly #cancelled = Promise.withResolvers<string>();
  #wasCancelled = false;
  #server: AsyncDisposable | undefined;
  /** The operation that runs in this asynchronous context. */
  readonly #current = new AsyncLocalStorage<string>();
  /** The operation that the current rpc began. */
  #begun: string | undefined;

  constructor(options: MemoryGuestOptions) {
    this.#options = options;
    this.#connection = dial(options.host, { tls: options.tls });
    this.#listener = createClient(TremplinListener, this.#connection.transport);
  }

  static async open(options: MemoryGuestOptions): Promise<MemoryGuest> {
    const guest = new MemoryGuest(options);
    await guest.listen();
    return guest;
  }

  async listen(): Promise<void> {
    const { address, tls } = this.#options;
    this.#server = await serve({
      addresses: [address],
      tls,
      routes: (router) => this.#routes(router),
    });
  }

  async close(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.#connection[Symbol.dispose]();
  }

  /** Sends a notice until the host acknowledges it. Default: of the operation that runs now. */
  async notify<M extends keyof typeof TremplinListener.method>(
    method: M,
    message: MessageInitShape<(typeof TremplinListener.method)[M]["input"]>,
    operation = this.#current.getStore(),
  ): Promise<void> {
    const headers = {
      "tremplin-notice": randomUUID(),
      ...this.metadata,
      ...(operation && !this.#options.unchanged && { "tremplin-operation": operation }),
    };
    const call = this.#listener[method] as (input: object, options: object) => Promise<unknown>;
    for (;;) {
      try {
        await call(message, { headers, timeoutMs: 5_000 });
        return;
      } catch (error) {
        if (ConnectError.from(error).code === Code.InvalidArgument || !this.#server) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Each time a second later, in which half a processor was busy and 2048 bytes arrived. */
  nextUsage() {
    this.#measured += 1;
    const seconds = BigInt(this.#measured);
    return {
      usage: {
        measuredAt: timestampFromMs(1_700_000_000_000 + this.#measured * 1000),
        cpuNanoseconds: seconds * 500_000_000n,
        memoryBytes: 64n * 1024n * 1024n,
        processes: 3,
        receivedBytes: seconds * 2048n,
      },
    };
  }

  get metadata(): Record<string, string> {
    return this.#options.unchanged ? {} : { "tremplin-daemon": this.daemonId };
  }

  #routes(router: ConnectRouter): void {
    const tremplin = {
      ...launchHandlers(this),
      ...creationHandlers(this),
      ...powerHandlers(this),
      ...backupHandlers(this),
      ...upgradeHandlers(this),
      ...queryHandlers(this),
    };
    router.service(Tremplin, this.#naming(tremplin));
    if (!this.#options.unchanged) router.service(Guest, guestHandlers(this));
  }

  /** Makes each answer carry the id of the operation that the rpc began. */
  #naming<S extends object>(handlers: S): S {
    const named = Object.entries(handlers).map(([name, handle]) => [
      name,
      (input: object, context: HandlerContext) => {
        this.#begun = undefined;
        const answer = handle(input, context);
        this.nameOperation(context);
        return answer;
      },
    ]);
    return Object.fromEntries(named);
  }

  nameOperation({ responseHeader }: HandlerContext): void {
    if (this.#begun && !this.#options.unchanged) responseHeader.set("tremplin-operation", this.#begun);
  }

  cancel({ requestHeader }: HandlerContext) {
    const named = requestHeader.get("tremplin-operation");
    if (named && !this.operations.some(({ id }) => id === named)) return { status: 2 };
    this.asked.push("cancel");
    this.#cancelled.resolve("cancelled");
    return { status: this.operations.length > 0 ? 1 : 2 };
  }

  async gateOrCancel(): Promise<void> {
    await Promise.race([this.gate, this.#cancelled.promise]);
    this.#wasCancelled = this.asked.includes("cancel");
  }

  outcome(good: object, bad: object, cancelled = 0): object {
    if (this.#wasCancelled) return { status: cancelled };
    return this.fault ? { ...bad, failureReason: this.fault } : good;
  }

  begin(kind: string, containerName: string, work: () => Promise<void>): void {
    const operation = { id: randomUUID(), kind, containerName };
    this.asked.push(`${kind} ${containerName}`.trim());
    this.operations.push(operation);
    this.#begun = operation.id;
    // Later, as a real daemon waits until its answer has been sent.
    setTimeout(() => {
      void this.#current
        .run(operation.id, work)
        .finally(() => this.operations.splice(this.operations.indexOf(operation), 1));
    }, 5);
  }
}

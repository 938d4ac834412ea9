import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
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
  Engine_State,
  type GetStatusResponse,
  GetStatusResponseSchema,
  Guest,
  type OrphanSchema,
  type ShellInput,
  type ShellOutputSchema,
} from "../../src/contract/tremplin/v1/guest_pb.js";
import { Tremplin, TremplinListener } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { type Connection, dial } from "../../src/transport/client.ts";
import { serve } from "../../src/transport/server.ts";
import { MemoryUsb } from "./memory-usb.ts";

export interface MemoryGuestOptions {
  readonly address: Address;
  /** Where its notices go. */
  readonly host: Address;
  /** Speaks the contract only and says no daemon id, as a guest in the field. */
  readonly unchanged?: boolean;
}

/** A guest whose containers are words in memory: the other end of the wire for tests of the host side. */
export class MemoryGuest implements AsyncDisposable {
  readonly daemonId = randomUUID();
  readonly containers = new Map<string, string>();
  readonly operations: { id: string; kind: string; containerName: string; waitsForRecovery?: boolean }[] = [];
  /** The rpcs it was asked, in order. */
  readonly asked: string[] = [];
  engine = Engine_State.RUNNING;
  /** Operations end only once this has settled. */
  gate: Promise<unknown> = Promise.resolve();
  /** Set to make each operation end in FAILED. */
  fault = "";
  /** What its status tells besides. */
  status: Partial<GetStatusResponse> = {};
  readonly orphans: MessageInitShape<typeof OrphanSchema>[] = [];
  /** Who was set up first, in whichever container. */
  #person = "";
  readonly #usb = new MemoryUsb();
  readonly #options: MemoryGuestOptions;
  readonly #connection: Connection;
  readonly #listener: Client<typeof TremplinListener>;
  readonly #cancelled = Promise.withResolvers<string>();
  #wasCancelled = false;
  #server: AsyncDisposable | undefined;
  /** The operation whose work runs. */
  readonly #current = new AsyncLocalStorage<string>();
  /** The operation that the rpc that is answered now has begun. */
  #begun: string | undefined;

  constructor(options: MemoryGuestOptions) {
    this.#options = options;
    this.#connection = dial(options.host);
    this.#listener = createClient(TremplinListener, this.#connection.transport);
  }

  static async open(options: MemoryGuestOptions): Promise<MemoryGuest> {
    const guest = new MemoryGuest(options);
    await guest.listen();
    return guest;
  }

  async listen(): Promise<void> {
    this.#server = await serve({
      addresses: [this.#options.address],
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

  /** Sends a notice until the host takes it, as an outbox does: of an operation, by default the one whose work runs. */
  async tell<M extends keyof typeof TremplinListener.method>(
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

  get metadata(): Record<string, string> {
    return this.#options.unchanged ? {} : { "tremplin-daemon": this.daemonId };
  }

  #routes(router: ConnectRouter): void {
    const { containers } = this;
    const fault = () => this.fault;
    const tremplin: Partial<ServiceImpl<typeof Tremplin>> = {
      startLxd: () => {
        if (this.engine === Engine_State.RUNNING) return { status: 2 };
        this.#work("launch", "", async () => {
          await this.tell("updateStartLxdStatus", { status: 1 });
          await this.gate;
          this.engine = this.fault ? Engine_State.FAILED : Engine_State.RUNNING;
          await this.tell("updateStartLxdStatus", this.#ended({ status: 3 }, { status: 4 }));
        });
        return { status: 1 };
      },
      createContainer: ({ containerName }) => {
        if (this.containers.has(containerName)) return { status: 2 };
        this.#work("create", containerName, async () => {
          for (const downloadProgress of [0, 50, 100]) {
            await this.tell("updateCreateStatus", { containerName, status: 1, downloadProgress });
          }
          await this.gate;
          if (!this.fault) this.containers.set(containerName, "stopped");
          const progress = this.#ended({ status: 2 }, { status: 5 });
          await this.tell("updateCreateStatus", { containerName, ...progress });
        });
        return { status: 1 };
      },
      startContainer: ({ containerName }) => {
        const state = this.containers.get(containerName);
        if (!state) return { status: 3, failureReason: `there is no container ${containerName}` };
        if (state === "running") return { status: 2 };
        const busy = this.operations.find((each) => each.containerName === containerName);
        if (busy) return { status: 3, failureReason: `${busy.kind} of ${containerName} is under way` };
        this.#work("start", containerName, async () => {
          await this.tell("updateStartStatus", { containerName, status: 4 });
          await this.gate;
          if (!this.fault) this.containers.set(containerName, "running");
          const progress = this.#ended({ status: 1 }, { status: 3 });
          await this.tell("updateStartStatus", { containerName, ...progress });
        });
        return { status: 4 };
      },
      stopContainer: ({ containerName }) => {
        const state = this.containers.get(containerName);
        if (!state) return { status: 3 };
        if (state !== "running") return { status: 1 };
        this.#work("stop", containerName, async () => {
          await this.gate;
          this.containers.set(containerName, "stopped");
          await this.tell("updateStopStatus", {
            containerName,
            ...this.#ended({ status: 1 }, { status: 4 }),
          });
          await this.tell("containerShutdown", { containerName });
        });
        return { status: 2 };
      },
      deleteContainer: ({ containerName }) => {
        if (!this.containers.has(containerName)) return { status: 2 };
        this.#work("delete", containerName, async () => {
          await this.gate;
          this.containers.delete(containerName);
          await this.tell("updateDeletionStatus", {
            containerName,
            ...this.#ended({ status: 1 }, { status: 3 }),
          });
        });
        return { status: 1 };
      },
      exportContainer: ({ containerName, exportPath }) => {
        if (!this.containers.has(containerName)) {
          return { status: 2, failureReason: `there is no container ${containerName}` };
        }
        this.#work("export", containerName, async () => {
          const total = { totalInputFiles: 10, totalInputBytes: 2048n };
          await this.tell("updateExportStatus", { containerName, status: 7 });
          const half = { inputFilesStreamed: 5, inputBytesStreamed: 1024n, bytesExported: 512n };
          await this.tell("updateExportStatus", { containerName, status: 7, ...total, ...half });
          await this.#gateOrCancel();
          const done = { status: 1, bytesExported: 1024n };
          await this.tell("updateExportStatus", {
            containerName,
            ...total,
            ...this.#ended(done, { status: 2 }, 8),
          });
        });
        this.asked.push(`to ${exportPath}`);
        return { status: 1 };
      },
      cancelExportContainer: (_request, context) => this.#cancel(context),
      importContainer: ({ containerName, importPath }) => {
        this.#work("import", containerName, async () => {
          await this.tell("updateImportStatus", { containerName, status: 3, progressPercent: 50 });
          await this.tell("updateImportStatus", {
            containerName,
            status: 4,
            progressPercent: 10,
            progressSpeed: 2048n,
          });
          await this.#gateOrCancel();
          if (!this.fault) this.containers.set(containerName, "stopped");
          await this.tell("updateImportStatus", {
            containerName,
            ...this.#ended({ status: 1 }, { status: 2 }, 7),
          });
        });
        this.asked.push(`from ${importPath}`);
        return { status: 1 };
      },
      cancelImportContainer: (_request, context) => this.#cancel(context),
      upgradeContainer: ({ containerName, targetVersion }) => {
        if (!this.containers.has(containerName)) return { status: 5, failureReason: "there is none" };
        if (targetVersion === 3) return { status: 4, failureReason: "it runs Debian 11 already" };
        this.#work("upgrade", containerName, async () => {
          const told = [
            ["upgrading; every line is in /state/upgrades/web.log", "== 10 % checking"],
            ["== 40 % upgrading: Unpacking libc6", "Unpacking \u001b[31mlibc6 ..."],
            ["Setting up libc6 ..."],
          ];
          for (const progressMessages of told) {
            await this.tell("upgradeContainerStatus", { containerName, status: 1, progressMessages });
          }
          await this.gate;
          const progress = this.#ended(
            { status: 2, progressMessages: ["it runs Debian 12 now"] },
            { status: 3 },
          );
          await this.tell("upgradeContainerStatus", { containerName, ...progress });
        });
        return { status: 1 };
      },
      cancelUpgradeContainer: ({ containerName }) => ({ status: this.containers.has(containerName) ? 2 : 1 }),
      getContainerInfo: ({ containerName }) => {
        const state = this.containers.get(containerName);
        if (!state) return { status: 3 };
        return state === "running" ? { status: 1, ipv4Address: 0x0100000a } : { status: 2 };
      },
      getContainerUsername: ({ containerName }) =>
        this.containers.has(containerName)
          ? { status: 1, username: "ada", homedir: "/home/ada" }
          : { status: 2 },
      setUpUser: ({ containerName, containerUsername }) => {
        this.asked.push(`user ${containerName} ${containerUsername}`);
        if (!containers.has(containerName)) {
          return { status: 3, failureReason: `there is no container ${containerName}` };
        }
        if (containerUsername === "root") {
          return { status: 3, failureReason: 'the user name "$USERNAME" belongs to the system' };
        }
        this.#person ||= containerUsername;
        return { status: 1, username: this.#person };
      },
      setTimezone: ({ timezoneName, containerNames }) => {
        this.asked.push(`timezone ${timezoneName} ${containerNames.join(" ")}`);
        const missing = containerNames.filter((name) => !containers.has(name));
        const failureReasons = missing.map((name) => `there is no container ${name}`);
        return { successes: containerNames.length - missing.length, failureReasons };
      },
      attachUsbToContainer: ({ portNum, containerName }) => {
        if (!containers.has(containerName)) return { status: 2, failureReason: "there is none" };
        return this.#usb.attach(portNum, containerName);
      },
      detachUsbFromContainer: ({ portNum }) => this.#usb.detach(portNum),
      getDebugInfo: () => ({ debugInformation: "== daemon\nversion \u001b[31m1\n" }),
    };
    router.service(Tremplin, this.#naming(tremplin));
    if (this.#options.unchanged) return;
    router.service(Guest, {
      getStatus: () => {
        const engine = { state: this.engine, kind: "lxd", version: "5.0.2" };
        const { daemonId, operations } = this;
        const status = { daemonId, version: "1.2.3", site: "generic", engine, operations };
        return Object.assign(create(GetStatusResponseSchema, status), this.status);
      },
      listOrphans: () => ({ orphans: this.orphans }),
      listContainers: () => ({
        containers: [...this.containers].map(([name, state]) => ({
          name,
          state,
          ipv4Address: state === "running" ? "10.0.0.1" : "",
          image: "Debian bookworm amd64",
        })),
      }),
      async *prepareImage({ debianRelease }) {
        yield { message: "fetching packages", percent: 10 };
        yield { message: "packing", percent: 90 };
        const folder = `/shared/${debianRelease}`;
        yield { percent: 100, rootfsPath: `${folder}/rootfs.tar`, metadataPath: `${folder}/meta.tar` };
      },
      listUsbPorts: () => this.#usb.list(),
      async *checkUpgrade() {
        yield { message: "looking" };
        yield { notes: ["300 MB to download"], problems: fault() ? [fault()] : [], done: true };
      },
      undoUpgrade: ({ containerName }, context) => {
        if (!this.containers.has(containerName)) return { status: 2, failureReason: "there is no snapshot" };
        this.#work("undo-upgrade", containerName, async () => {
          const progress = this.#ended({ status: 2, progressMessages: ["it was put back"] }, { status: 3 });
          await this.tell("upgradeContainerStatus", { containerName, ...progress });
        });
        this.#name(context);
        return { status: 1 };
      },
      async *shell(
        inputs: AsyncIterable<ShellInput>,
      ): AsyncGenerator<MessageInitShape<typeof ShellOutputSchema>> {
        for await (const { input } of inputs) {
          if (input.case === "start" && !containers.has(input.value.containerName)) {
            throw new ConnectError("no such container", Code.NotFound);
          }
          if (input.case === "data") yield { output: { case: "data", value: input.value } };
        }
        yield { output: { case: "exitCode", value: 7 } };
      },
    });
  }

  /** Names in each answer the operation that the rpc has begun. */
  #naming<S extends object>(handlers: S): S {
    const named = Object.entries(handlers).map(([name, handle]) => [
      name,
      (input: object, context: HandlerContext) => {
        this.#begun = undefined;
        const answer = handle(input, context);
        this.#name(context);
        return answer;
      },
    ]);
    return Object.fromEntries(named);
  }

  #name({ responseHeader }: HandlerContext): void {
    if (this.#begun && !this.#options.unchanged) responseHeader.set("tremplin-operation", this.#begun);
  }

  #cancel({ requestHeader }: HandlerContext) {
    const meant = requestHeader.get("tremplin-operation");
    if (meant && !this.operations.some(({ id }) => id === meant)) return { status: 2 };
    this.asked.push("cancel");
    this.#cancelled.resolve("cancelled");
    return { status: this.operations.length > 0 ? 1 : 2 };
  }

  async #gateOrCancel(): Promise<void> {
    await Promise.race([this.gate, this.#cancelled.promise]);
    this.#wasCancelled = this.asked.includes("cancel");
  }

  #ended(good: object, bad: object, cancelled = 0): object {
    if (this.#wasCancelled) return { status: cancelled };
    return this.fault ? { ...bad, failureReason: this.fault } : good;
  }

  #work(kind: string, containerName: string, work: () => Promise<void>): void {
    const operation = { id: randomUUID(), kind, containerName };
    this.asked.push(`${kind} ${containerName}`.trim());
    this.operations.push(operation);
    this.#begun = operation.id;
    // A moment later, as a real daemon waits until its answer has left.
    setTimeout(() => {
      void this.#current
        .run(operation.id, work)
        .finally(() => this.operations.splice(this.operations.indexOf(operation), 1));
    }, 5);
  }
}

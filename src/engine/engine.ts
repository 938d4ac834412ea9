import { type Clock, systemClock } from "../base/async/clock.ts";
import type { Logger } from "../base/logger.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { EventStream } from "./events/event-stream.ts";
import { Exec, type ExecRequest } from "./exec/exec.ts";
import { type Captured, type CaptureOptions, capture } from "./exec/exec-capture.ts";
import type { ExecSession } from "./exec/exec-session.ts";
import { FileHelper } from "./files/file-helper.ts";
import { FileSession, type FileSessionOptions } from "./files/file-session.ts";
import type { Flavor } from "./flavors/flavor.ts";
import { flavorOf } from "./flavors/flavors.ts";
import type { CallOptions } from "./http/call-options.ts";
import type { EngineAddress } from "./http/engine-address.ts";
import { EngineHttp } from "./http/engine-http.ts";
import { OperationsApi } from "./operations/operations-api.ts";
import { Certificates } from "./resources/certificates.ts";
import { Images } from "./resources/images.ts";
import { Instances } from "./resources/instances.ts";
import { Acls, Zones } from "./resources/network-rules.ts";
import { Networks } from "./resources/networks.ts";
import { Pools } from "./resources/pools.ts";
import { Profiles } from "./resources/profiles.ts";
import { Projects } from "./resources/projects.ts";
import { Recovery } from "./resources/recovery.ts";
import { Server, type ServerInfo } from "./resources/server.ts";
import { Snapshots } from "./resources/snapshots.ts";
import { Unpackers } from "./storage/unpackers.ts";

export type { EngineAddress } from "./http/engine-address.ts";

export interface ConnectOptions extends CallOptions {
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * A client of one engine. Every method takes a signal and rejects with a TremplinError or with the signal's reason; a
 * plain request ends within 60 s. Disposing the client ends its own requests and sessions, and nothing in the engine.
 */
export class Engine implements AsyncDisposable {
  readonly address: EngineAddress;
  readonly info: ServerInfo;
  /** Everything in which it differs from other engines. */
  readonly flavor: Flavor;
  readonly server: Server;
  readonly recovery: Recovery;
  readonly pools: Pools;
  readonly networks: Networks;
  readonly profiles: Profiles;
  readonly projects: Projects;
  readonly acls: Acls;
  readonly zones: Zones;
  readonly certificates: Certificates;
  readonly instances: Instances;
  readonly snapshots: Snapshots;
  readonly images: Images;
  readonly operations: OperationsApi;
  readonly events: EventStream;
  /** Includes the events of other projects than the default one. */
  readonly eventsOfAllProjects: EventStream;
  readonly unpackers: Unpackers;
  readonly #exec: Exec;
  readonly #fileHelper: FileHelper;
  readonly #http: EngineHttp;
  /** Aborts when no program and no access to files of this client may go on. */
  readonly #sessions = new AbortController();

  private constructor(http: EngineHttp, server: Server, info: ServerInfo, log: Logger, clock: Clock) {
    const flavor = flavorOf(info.kind);
    this.#http = http;
    this.address = http.address;
    this.info = info;
    this.flavor = flavor;
    this.server = server;
    this.events = new EventStream(http, clock, log);
    this.eventsOfAllProjects = new EventStream(http, clock, log, { allProjects: true });
    this.operations = new OperationsApi(http, this.events, flavor);
    this.recovery = new Recovery(http);
    this.pools = new Pools(http);
    this.networks = new Networks(http);
    this.profiles = new Profiles(http);
    this.projects = new Projects(http);
    this.acls = new Acls(http);
    this.zones = new Zones(http);
    this.certificates = new Certificates(http);
    this.#fileHelper = new FileHelper(http.address, flavor, log);
    this.instances = new Instances(http, this.operations, this.#fileHelper);
    this.snapshots = new Snapshots(http, this.operations);
    this.images = new Images(http, this.operations, flavor);
    this.unpackers = new Unpackers(http.address, flavor, server);
    this.#exec = new Exec(http, this.operations);
  }

  /** Connects and reads the server info once. Throws `unavailable` if no engine answers. */
  static async connect(address: EngineAddress, options: ConnectOptions): Promise<Engine> {
    const { log, clock = systemClock, signal } = options;
    const http = new EngineHttp(address, log);
    try {
      const server = new Server(http);
      return new Engine(http, server, await server.info({ signal }), log, clock);
    } catch (error) {
      http[Symbol.dispose]();
      throw error;
    }
  }

  /** Opens a session for several accesses to the files of an instance. The caller disposes it. */
  async fileSession(instance: string, options: FileSessionOptions = {}): Promise<FileSession> {
    const signal = this.#sessionSignal(options.signal);
    return FileSession.open(this.address, this.#fileHelper, instance, { ...options, signal });
  }

  /** Starts a command in a running instance. */
  async exec(instance: string, request: ExecRequest): Promise<ExecSession> {
    return this.#exec.start(instance, { ...request, signal: this.#sessionSignal(request.signal) });
  }

  /**
   * Runs a command to its end and returns its output, up to a limit
   * (docs/contract.md#running-programs-in-a-container).
   */
  async execCapture(
    instance: string,
    command: readonly string[],
    options: CaptureOptions = {},
  ): Promise<Captured> {
    const signal = this.#sessionSignal(options.signal);
    return capture(this.#exec, instance, command, { ...options, signal });
  }

  /**
   * Ends the programs and the accesses to files that this client has open, and refuses new ones. An engine that shuts
   * down would wait for a program whose output nobody reads.
   */
  endSessions(): void {
    this.#sessions.abort(new TremplinError("unavailable", "the engine is being shut down"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sessions.abort(new TremplinError("unavailable", "the connection to the engine was closed"));
    this.#http[Symbol.dispose]();
    await this.events[Symbol.asyncDispose]();
    await this.eventsOfAllProjects[Symbol.asyncDispose]();
  }

  #sessionSignal(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#sessions.signal]) : this.#sessions.signal;
  }
}

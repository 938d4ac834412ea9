import { pollUntil } from "../../base/async/poll-until.ts";
import { plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Container, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import { GetContainerUsernameResponse_Status as Found, Tremplin } from "../../contract/tremplin_pb.js";
import {
  existsError,
  lookForContainer,
  prepareImage,
  requestCreate,
} from "../host-client/create-container.ts";
import { cancelOperation } from "../host-client/operation-result.ts";
import { runOperation } from "../host-client/run-operation.ts";
import type { Session } from "../host-client/session.ts";
import { startReply } from "../host-client/start-reply.ts";
import { importNew } from "./import.ts";
import { setUpPrimaryUser } from "./user.ts";

/** A container asks for an address while it boots; without one after this time it gets none. */
const ADDRESS_TIMEOUT_MS = 30_000;

export type LaunchSource =
  | { readonly kind: "debian"; readonly release: string; readonly isAsked: boolean }
  | { readonly kind: "server"; readonly imageServer: string; readonly imageAlias: string }
  | { readonly kind: "backup"; readonly file: string };

export interface LaunchSpec {
  readonly name: string;
  readonly source: LaunchSource;
  /** The primary user to create, where there is none. */
  readonly person: string;
  /** Whether another primary user is not what was asked for. */
  readonly isPersonAsked: boolean;
}

/** What a launch did, and how to get in. */
export interface Launched {
  readonly did: readonly string[];
  readonly user: string;
  /** Empty where it has none yet. */
  readonly address: string;
  /** What the person should know. */
  readonly notes: readonly string[];
}

/**
 * The launch of a container, made of the steps that single commands do: each is an operation of its own with its own
 * end, and looking at the container shows which are left. So an interruption needs no recovery.
 */
export class Launching {
  readonly #session: Session;
  readonly #spec: LaunchSpec;
  readonly #did: string[] = [];
  readonly #notes: string[] = [];
  readonly #left: string[];

  constructor(session: Session, spec: LaunchSpec) {
    this.#session = session;
    this.#spec = spec;
    this.#left = [`create ${spec.name}`, `set up ${spec.person}`, "start it"];
  }

  /** What is not done yet. */
  get left(): readonly string[] {
    return this.#left;
  }

  /** Throws `exists` for a container that is not what was asked for, before anything is changed. */
  async run(): Promise<Launched> {
    const found = await lookForContainer(this.#session, this.#spec.name);
    const fits = found === undefined || this.#fits(found);
    if (found === undefined || (found.unprovisioned && !fits)) await this.#create();
    else if (!fits) throw existsError(this.#spec.name, found.image);
    this.#left.shift();
    const user = await this.#setUpUser();
    this.#left.shift();
    const runs = found?.state === "running";
    if (!runs) await this.#start();
    this.#left.shift();
    const address = runs ? await this.#addressNow() : await this.#waitForAddress();
    return { did: this.#did, user, address, notes: this.#notes };
  }

  /** Whether a container can be what was asked for. Nobody knows from which server or backup one came. */
  #fits({ image, name }: Container): boolean {
    const { source } = this.#spec;
    if (source.kind === "debian") {
      return !source.isAsked || image === "" || image.toLowerCase().includes(source.release.toLowerCase());
    }
    const from = source.kind === "backup" ? `the backup ${source.file}` : `the image ${source.imageAlias}`;
    const what = image === "" ? "" : `, with ${image}`;
    this.#notes.push(`${name} exists already${what}; ${from} was not used`);
    return true;
  }

  async #create(): Promise<void> {
    const { name, source } = this.#spec;
    if (source.kind === "backup") {
      await importNew(name, source.file, this.#session);
    } else {
      const image = source.kind === "debian" ? await prepareImage(source.release, this.#session) : source;
      await runOperation(this.#session, {
        title: `creating ${name}`,
        kind: "create",
        container: name,
        mustExist: false,
        request: (api, settings) => requestCreate(api, name, image, settings),
        cancel: cancelOperation(name),
      });
    }
    this.#did.push("created");
  }

  /** The primary user: the one that is there, or a new one. */
  async #setUpUser(): Promise<string> {
    const { name, person, isPersonAsked } = this.#spec;
    const { api, io } = this.#session;
    io.interrupted.throwIfAborted();
    const there = await this.#findUser();
    if (there === person) return there;
    if (there !== undefined) {
      const sentence = `the primary user of ${name} is ${plainText(there)}`;
      if (!isPersonAsked) this.#notes.push(`${sentence}, so ${person} was not created`);
      else
        throw new TremplinError("exists", `${sentence} already; ${person} was not created${this.#later()}`);
      return there;
    }
    this.#session.progress.update(`setting up the user ${person}`);
    const onNote = (note: string) => void this.#notes.push(note);
    const user = await setUpPrimaryUser(api, name, person, { signal: io.interrupted, onNote });
    this.#did.push(`set up for ${plainText(user)}`);
    return user;
  }

  #later(): string {
    return this.#did.length > 0 ? "" : ", nothing was changed";
  }

  async #findUser(): Promise<string | undefined> {
    const { api, io } = this.#session;
    const settings = { signal: io.interrupted, timeout: 60_000 };
    const request = { containerName: this.#spec.name };
    const { status, username } = await api.call(Tremplin.method.getContainerUsername, request, settings);
    // Where the accounts cannot be read, setting one up says why.
    return status === Found.SUCCESS ? username : undefined;
  }

  async #start(): Promise<void> {
    const { name } = this.#spec;
    this.#session.io.interrupted.throwIfAborted();
    const { text } = await runOperation(this.#session, {
      title: `starting ${name}`,
      kind: "start",
      container: name,
      request: async (api, settings) =>
        startReply(await api.call(Tremplin.method.startContainer, { containerName: name }, settings), ""),
    });
    if (text !== "") this.#did.push(text);
  }

  async #waitForAddress(): Promise<string> {
    const { io, progress } = this.#session;
    progress.update("waiting for its address");
    let address = "";
    const look = async (): Promise<boolean> => {
      address = await this.#addressNow();
      return address !== "";
    };
    const limits = { timeoutMs: ADDRESS_TIMEOUT_MS, intervalMs: 300, signal: io.interrupted };
    if (!(await pollUntil(look, { clock: io.clock, ...limits }))) {
      const seconds = ADDRESS_TIMEOUT_MS / 1000;
      this.#notes.push(
        `it runs, but had no address within ${seconds} s; tremplin doctor looks for the cause`,
      );
    }
    return address;
  }

  /** Empty where it has none. */
  async #addressNow(): Promise<string> {
    const { api, io } = this.#session;
    const settings = { signal: io.interrupted, timeout: 30_000 };
    const { containers } = await api.call(Guest.method.listContainers, {}, settings);
    const found = containers.find(({ name }) => name === this.#spec.name);
    return found?.ipv4Address || found?.addresses[0] || "";
  }
}

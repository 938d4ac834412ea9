import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/async/clock.ts";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { Reconciler } from "../../base/async/reconciler.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineEvent } from "../../engine/events/engine-event.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { getContainer, uuidOf } from "../containers/find-container.ts";
import { isTemporaryName } from "../containers/temporary-name.ts";
import { withUsb } from "../containers/usb-mark.ts";
import { UsbAssignments } from "./usb-assignments.ts";
import { type UsbPort, UsbPorts } from "./usb-ports.ts";

/** One plug brings many events; the containers get all of its nodes in one change. Milliseconds. */
const GATHER = 100;
/** What failed is tried again after so long: at first, and at most. Milliseconds. */
const AGAIN = [500, 30_000] as const;
/** Changes of who has what go one after the other. */
const ALL = "usb";
const ELSEWHERE = "containers of an engine elsewhere cannot have what is plugged in here";
/** After these a container has other devices than its ports hold, or another name. */
const CHANGES = ["created", "deleted", "renamed", "restored"].map((what) => `instance-${what}`);

export interface UsbAttachmentsOptions {
  readonly file: string;
  /** Throws `unavailable` when there is none. */
  readonly engine: () => Engine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sys?: string;
}

/**
 * Gives containers what is plugged into the ports that they were attached to, again and again until these are
 * detached: after a plug, a restart of the container, the daemon or the machine (behaviour.md 4.9, 5.18, 5.19, 7.1).
 * What is plugged in is read from sysfs each time, and what containers have of it from the engine; an event only says
 * when. Devices of a container that did not come from here are left alone.
 */
export class UsbAttachments implements AsyncDisposable {
  readonly #options: UsbAttachmentsOptions;
  readonly #wishes: UsbAssignments;
  readonly #ports: UsbPorts;
  readonly #refresher: Reconciler;
  readonly #serial = new KeyedMutex();
  #subscription: Disposable | undefined;

  private constructor(options: UsbAttachmentsOptions, wishes: UsbAssignments, ports: UsbPorts) {
    this.#options = options;
    this.#wishes = wishes;
    this.#ports = ports;
    const look = (signal: AbortSignal): Promise<boolean> => this.#look(signal);
    this.#refresher = new Reconciler({ look, gather: GATHER, again: AGAIN, clock: options.clock });
  }

  static async open(options: UsbAttachmentsOptions): Promise<UsbAttachments> {
    const { file, clock, log, sys } = options;
    const wishes = await UsbAssignments.open(file, log);
    // What changes before there is an engine, watch() asks for anyway.
    let refresh = (): void => undefined;
    const ports = await UsbPorts.open({ changed: () => refresh(), clock, log, sys });
    const attachments = new UsbAttachments(options, wishes, ports);
    refresh = () => attachments.#refresher.ask();
    return attachments;
  }

  /** Puts the containers of an engine right, now and whenever something changes them. */
  watch(engine: Engine): void {
    const refresh = (): void => this.#refresher.ask();
    const hear = (event: EngineEvent): void => {
      if (event.type === "lifecycle" && CHANGES.includes(event.metadata.action)) refresh();
    };
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = engine.events.subscribe({ types: ["lifecycle"], reconnected: refresh }, hear);
    refresh();
  }

  /**
   * Gives a container what is plugged into a port now and later; from who had it, it is taken. Throws `not-found`
   * for a container that is not there, `invalid` for a port that is not, `failed` without a controller.
   */
  async attach(port: number, container: string): Promise<void> {
    await this.#change(port, async (engine) => {
      const taker = await getContainer(engine, container);
      const holder = await this.#holderOf(port);
      if (holder && uuidOf(holder) !== uuidOf(taker)) await this.#take(port, holder);
      // First the devices: only what the engine took is attached (12 item 70).
      await this.#give(taker, [...this.#wishes.portsOf(taker), port]);
      await this.#wishes.set(port, taker);
    });
  }

  /** Takes a port from who has it, if somebody does. Throws as attach. */
  async detach(port: number): Promise<void> {
    await this.#change(port, async () => {
      const holder = await this.#holderOf(port);
      if (holder) await this.#take(port, holder);
      await this.#wishes.remove(port);
    });
  }

  /** All ports in their order, with the name of who is to have what is plugged in, "" for nobody. */
  async list(): Promise<readonly (UsbPort & { readonly container: string })[]> {
    const ports = await this.#ports.list();
    return ports.map((port) => ({ ...port, container: this.#wishes.of(port.number)?.container ?? "" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#ports[Symbol.asyncDispose]();
    await this.#refresher[Symbol.asyncDispose]();
  }

  /** One change of who has a port; what is left half done when it throws is put right soon. */
  async #change(port: number, change: (engine: Engine) => Promise<void>): Promise<void> {
    await this.#serial.run(ALL, async () => {
      const engine = this.#options.engine();
      if (engine.address.kind !== "unix") throw new TremplinError("failed", ELSEWHERE);
      await this.#ports.check(port);
      await change(engine).catch((error) => {
        this.#refresher.ask();
        throw error;
      });
    });
  }

  async #holderOf(port: number): Promise<Instance | undefined> {
    const wish = this.#wishes.of(port);
    if (!wish) return undefined;
    const containers = await this.#options.engine().instances.list();
    return containers.find((each) => uuidOf(each) === wish.identity);
  }

  async #take(port: number, holder: Instance): Promise<void> {
    const others = this.#wishes.portsOf(holder).filter((each) => each !== port);
    await this.#give(holder, others);
  }

  /** Makes the devices of a container that come from here those of these ports, in one change. */
  async #give(container: Instance, ports: readonly number[], signal?: AbortSignal): Promise<void> {
    const nodes = await this.#ports.nodes(ports);
    if (isDeepStrictEqual(withUsb(container.devices, nodes), container.devices)) return;
    await this.#options
      .engine()
      .instances.update(
        container.name,
        (instance) => ({ ...instance, devices: withUsb(instance.devices, nodes) }),
        { signal },
      );
  }

  /** Whether each container has what its ports hold now, and nothing else by them. */
  async #look(signal: AbortSignal): Promise<boolean> {
    return await this.#serial.run(ALL, async () => {
      try {
        const containers = await this.#options.engine().instances.list({ signal });
        await this.#wishes.follow(containers);
        const shown = containers.filter(({ name }) => !isTemporaryName(name));
        const right = await Promise.all(shown.map((each) => this.#putRight(each, signal)));
        return right.every(Boolean);
      } catch (error) {
        if (signal.aborted) return true;
        // Who launches the engine says so, and then all is looked at.
        if (TremplinError.from(error).code === "unavailable") return true;
        this.#options.log.warn({ error }, "USB devices wait to be given");
        return false;
      }
    });
  }

  async #putRight(container: Instance, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#give(container, this.#wishes.portsOf(container), signal).catch(ifMissing);
      return true;
    } catch (error) {
      if (signal.aborted || TremplinError.from(error).code === "unavailable") throw error;
      this.#options.log.warn({ error, container: container.name }, "a container's USB devices are not right");
      return false;
    }
  }
}

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Devices } from "../../engine/profiles.ts";
import { Serial } from "../../engine/serial.ts";
import { findContainer, getContainer, identity } from "../operations/lookup.ts";
import { KernelEvents } from "./kernel-events.ts";
import type { Uevent } from "./uevent.ts";
import { findUsbController, portOf, type UsbController } from "./usb-controller.ts";
import { usbNodes } from "./usb-nodes.ts";
import { type PluggedDevice, pluggedInto } from "./usb-plugged.ts";
import { UsbRecord } from "./usb-record.ts";

/** One plug brings many events; the containers get all of its nodes in one change. Milliseconds. */
const GATHER = 100;
/** What failed is tried again after so long. Milliseconds. */
const AGAIN = 5_000;
/** Changes of devices go one after the other. */
const ALL = "usb";

export interface UsbAttachmentsOptions {
  readonly file: string;
  /** Throws `unavailable` when there is none. */
  readonly engine: () => Engine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sys?: string;
}

/** A port, who is to have what is plugged into it ("" for nobody), and what is. */
export interface UsbPort {
  readonly number: number;
  /** 2 or 3. */
  readonly usbVersion: number;
  readonly container: string;
  readonly devices: readonly PluggedDevice[];
}

/**
 * Gives containers what is plugged into the ports that they were attached to, again and again until these are
 * detached: after a plug, a restart of the container, the daemon or the machine (behaviour.md 4.9, 5.18, 5.19, 7.1).
 * What is plugged in is read from sysfs each time; an event only says when. Devices of a container that did not come
 * from here are left alone.
 */
export class UsbAttachments implements AsyncDisposable {
  readonly #options: UsbAttachmentsOptions;
  readonly #record: UsbRecord;
  readonly #ending = new AbortController();
  readonly #serial = new Serial();
  #events: KernelEvents | undefined;
  #controller: UsbController | undefined;
  #refreshing: Promise<void> | undefined;
  #again = false;

  private constructor(options: UsbAttachmentsOptions, record: UsbRecord) {
    this.#options = options;
    this.#record = record;
  }

  static async open(options: UsbAttachmentsOptions): Promise<UsbAttachments> {
    const attachments = new UsbAttachments(options, await UsbRecord.open(options.file));
    await attachments.#findController();
    return attachments;
  }

  /**
   * Gives a container what is plugged into a port now and later; from who had it, it is taken. Throws `not-found`
   * for a container that is not there, `invalid` for a port that is not, `failed` without a controller.
   */
  async attach(port: number, container: string): Promise<void> {
    await this.#serial.run(ALL, async () => {
      await this.#check(port);
      const engine = this.#options.engine();
      const wish = { container, identity: identity(await getContainer(engine, container)) };
      const before = this.#record.wish(port);
      if (before && before.container !== container) await this.#take(port);
      const ports = [...new Set([...this.#record.portsOf(container), port])];
      // First the devices: only what the engine took is attached (12 item 70).
      await this.#give(container, ports);
      await this.#record.setWish(port, wish);
    });
  }

  /** Takes a port from who has it, if somebody does. Throws as attach. */
  async detach(port: number): Promise<void> {
    await this.#serial.run(ALL, async () => {
      await this.#check(port);
      this.#options.engine();
      await this.#take(port);
    });
  }

  /** All ports in their order. None without a controller. */
  async list(): Promise<readonly UsbPort[]> {
    const controller = await this.#findController();
    const buses = controller?.buses ?? [];
    const ports = buses.flatMap(({ ports, firstPort }, index) =>
      Array.from({ length: ports }, (_, each) => ({ number: firstPort + each, usbVersion: 2 + index })),
    );
    return await Promise.all(
      ports.map(async (port) => ({
        ...port,
        container: this.#record.wish(port.number)?.container ?? "",
        devices: controller ? await pluggedInto(controller, port.number, this.#options.sys) : [],
      })),
    );
  }

  /** Soon looks at all ports and puts all containers right. */
  refresh(): void {
    this.#again = true;
    this.#refreshing ??= this.#refreshSoon().finally(() => {
      this.#refreshing = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new TremplinError("cancelled", "the daemon ends"));
    await this.#events?.[Symbol.asyncDispose]();
    await this.#refreshing;
  }

  async #take(port: number): Promise<void> {
    const wish = this.#record.wish(port);
    if (!wish) return;
    await this.#give(
      wish.container,
      this.#record.portsOf(wish.container).filter((each) => each !== port),
    );
    await this.#record.setWish(port, undefined);
  }

  /** Makes the devices of a container that come from here those of these ports, in one change. */
  async #give(container: string, ports: readonly number[]): Promise<void> {
    const engine = this.#options.engine();
    const found = await findContainer(engine, container);
    const given = this.#record.given(container);
    const isOther = found && given && given.identity !== identity(found);
    if (!found || isOther) await this.#record.forget(container);
    if (!found) return;
    const keys = isOther ? [] : (given?.keys ?? []);
    const nodes = await this.#nodesOf(ports);
    const change = (devices: Devices): Devices => {
      const others = Object.fromEntries(Object.entries(devices).filter(([key]) => !keys.includes(key)));
      return { ...nodes, ...others };
    };
    const fresh = change(found.devices);
    const theirs = (key: string): boolean => key in found.devices && !keys.includes(key);
    const now = Object.keys(nodes).filter((key) => !theirs(key));
    // Before the change: whoever comes after a crash knows what may be there by us.
    const own = { identity: identity(found), keys: [...new Set([...keys, ...now])] };
    if (!isDeepStrictEqual(fresh, found.devices)) {
      await this.#record.setGiven(container, own);
      await engine.instances.update(container, (instance) => ({
        ...instance,
        devices: change(instance.devices),
      }));
    }
    if (now.length !== keys.length || now.some((key) => !keys.includes(key))) {
      await this.#record.setGiven(container, now.length > 0 ? { ...own, keys: now } : undefined);
    }
  }

  async #nodesOf(ports: readonly number[]): Promise<Devices> {
    const controller = await this.#findController();
    if (!controller) return {};
    const all = await Promise.all(ports.map((port) => usbNodes(controller, port, this.#options.sys)));
    return Object.assign({}, ...all);
  }

  async #check(port: number): Promise<void> {
    const controller = await this.#findController();
    if (!controller) {
      throw new TremplinError("failed", "this machine has no xHCI controller with ports of USB 2 and USB 3");
    }
    if (port >= 1 && port <= controller.ports) return;
    throw new TremplinError("invalid", `there is no USB port ${port}: ports are 1 to ${controller.ports}`);
  }

  /** From the moment that there is a controller, what the kernel says of it is heard. */
  async #findController(): Promise<UsbController | undefined> {
    this.#controller ??= await findUsbController(this.#options.sys);
    if (this.#controller) this.#events ??= this.#hear(this.#controller);
    return this.#controller;
  }

  #hear(controller: UsbController): KernelEvents {
    const { clock, log } = this.#options;
    const onEvent = ({ action, path }: Uevent): void => {
      if (action !== "add" && action !== "remove") return;
      if (portOf(controller, path) !== undefined) this.refresh();
    };
    return new KernelEvents({ onEvent, onGap: () => this.refresh(), clock, log });
  }

  async #refreshSoon(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#ending;
    let pause = GATHER;
    while (this.#again && !signal.aborted) {
      await clock.sleep(pause, signal).catch(() => undefined);
      this.#again = false;
      pause = GATHER;
      const failed = await this.#refreshAll().catch((error) => {
        // Who launches the engine says so, and then all is looked at.
        const waits = TremplinError.from(error).code !== "unavailable";
        if (waits) log.warn({ error }, "USB devices wait to be given");
        return waits;
      });
      if (!failed) continue;
      this.#again = true;
      pause = AGAIN;
    }
  }

  /** Whether something must be tried again. */
  async #refreshAll(): Promise<boolean> {
    let failed = false;
    for (const container of this.#record.containers) {
      await this.#serial
        .run(ALL, () => this.#putRight(container), this.#ending.signal)
        .catch((error) => {
          if (TremplinError.from(error).code === "unavailable") throw error;
          this.#options.log.warn({ error, container }, "a container's USB devices wait to be put right");
          failed = true;
        });
    }
    return failed;
  }

  async #putRight(container: string): Promise<void> {
    const ports = this.#record.portsOf(container);
    const found = await findContainer(this.#options.engine(), container);
    const isSame = (port: number): boolean =>
      this.#record.wish(port)?.identity === (found && identity(found));
    if (!found || !ports.every(isSame)) await this.#record.forget(container);
    else await this.#give(container, ports);
  }
}

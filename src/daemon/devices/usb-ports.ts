import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { KernelEvents } from "./kernel-events.ts";
import type { Uevent } from "./uevent.ts";
import { findUsbController, portOf, type UsbController } from "./usb-controller.ts";
import { usbNodes } from "./usb-nodes.ts";
import { type PluggedDevice, pluggedInto } from "./usb-plugged.ts";

/** A port with the devices plugged into it. */
export interface UsbPort {
  readonly number: number;
  /** 2 or 3. */
  readonly usbVersion: number;
  readonly devices: readonly PluggedDevice[];
}

export interface UsbPortsOptions {
  /** Called when a device may have been plugged in or removed. */
  readonly changed: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sys?: string | undefined;
}

/** The ports of this machine's USB controller. Devices are read from sysfs each time; kernel events only trigger that. */
export class UsbPorts implements AsyncDisposable {
  readonly #options: UsbPortsOptions;
  #controller: UsbController | undefined;
  #events: KernelEvents | undefined;

  private constructor(options: UsbPortsOptions) {
    this.#options = options;
  }

  static async open(options: UsbPortsOptions): Promise<UsbPorts> {
    const ports = new UsbPorts(options);
    await ports.#find();
    return ports;
  }

  /** Throws `failed` without a controller, `invalid` for a number that is no port. */
  async check(port: number): Promise<void> {
    const controller = await this.#find();
    if (!controller) {
      throw new TremplinError("failed", "this machine has no xHCI controller with ports of USB 2 and USB 3");
    }
    if (port >= 1 && port <= controller.ports) return;
    throw new TremplinError("invalid", `there is no USB port ${port}: ports are 1 to ${controller.ports}`);
  }

  /** All ports in order; none without a controller. */
  async list(): Promise<readonly UsbPort[]> {
    const controller = await this.#find();
    if (!controller) return [];
    const ports = controller.buses.flatMap(({ ports, firstPort }, index) =>
      Array.from({ length: ports }, (_, each) => ({ number: firstPort + each, usbVersion: 2 + index })),
    );
    const devices = ({ number }: { number: number }) => pluggedInto(controller, number, this.#options.sys);
    return await Promise.all(ports.map(async (port) => ({ ...port, devices: await devices(port) })));
  }

  /** The device nodes of everything plugged into these ports. */
  async nodes(ports: readonly number[]): Promise<Devices> {
    const controller = await this.#find();
    if (!controller) return {};
    const all = await Promise.all(ports.map((port) => usbNodes(controller, port, this.#options.sys)));
    return Object.assign({}, ...all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events?.[Symbol.asyncDispose]();
  }

  async #find(): Promise<UsbController | undefined> {
    this.#controller ??= await findUsbController(this.#options.sys);
    if (this.#controller) this.#events ??= this.#watchKernel(this.#controller);
    return this.#controller;
  }

  #watchKernel(controller: UsbController): KernelEvents {
    const { changed, clock, log } = this.#options;
    const onEvent = ({ action, path }: Uevent): void => {
      if (action !== "add" && action !== "remove") return;
      if (portOf(controller, path) !== undefined) changed();
    };
    return new KernelEvents({ onEvent, onGap: changed, clock, log });
  }
}

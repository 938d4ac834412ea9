import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { KernelEvents } from "./kernel-events.ts";
import type { Uevent } from "./uevent.ts";
import { findUsbBuses, isInPort, portCount, type UsbBus } from "./usb-buses.ts";
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

/** The ports of this machine's USB controllers. They are read from sysfs each time; kernel events only trigger that. */
export class UsbPorts implements AsyncDisposable {
  readonly #options: UsbPortsOptions;
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
    const count = portCount(await this.#find());
    if (count === 0) throw new TremplinError("failed", "this machine has no xHCI controller with USB ports");
    if (port >= 1 && port <= count) return;
    throw new TremplinError("invalid", `there is no USB port ${port}: ports are 1 to ${count}`);
  }

  /** All ports in order; none without a controller. */
  async list(): Promise<readonly UsbPort[]> {
    const buses = await this.#find();
    const ports = buses.flatMap(({ ports, firstPort, usbVersion }) =>
      Array.from({ length: ports }, (_, each) => ({ number: firstPort + each, usbVersion })),
    );
    const devices = ({ number }: { number: number }) => pluggedInto(buses, number, this.#options.sys);
    return await Promise.all(ports.map(async (port) => ({ ...port, devices: await devices(port) })));
  }

  /** The device nodes of everything plugged into these ports. */
  async nodes(ports: readonly number[]): Promise<Devices> {
    const buses = await this.#find();
    const all = await Promise.all(ports.map((port) => usbNodes(buses, port, this.#options.sys)));
    return Object.assign({}, ...all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events?.[Symbol.asyncDispose]();
  }

  /** Not remembered: a dock brings a controller of its own, and takes it away. */
  async #find(): Promise<readonly UsbBus[]> {
    const buses = await findUsbBuses(this.#options.sys);
    if (buses.length > 0) this.#events ??= this.#watchKernel();
    return buses;
  }

  #watchKernel(): KernelEvents {
    const { changed, clock, log } = this.#options;
    const onEvent = ({ action, path }: Uevent): void => {
      if (action !== "add" && action !== "remove") return;
      if (isInPort(path)) changed();
    };
    return new KernelEvents({ onEvent, onGap: changed, clock, log });
  }
}

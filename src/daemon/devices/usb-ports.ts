import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { KernelEvents } from "./kernel-events.ts";
import { findRootPorts, isInPort, type RootPort } from "./root-ports.ts";
import type { Uevent } from "./uevent.ts";
import { usbNodes } from "./usb-nodes.ts";
import type { Numbered } from "./usb-numbers.ts";
import { type PluggedDevice, pluggedInto } from "./usb-plugged.ts";

/** A port with the devices plugged into it. */
export interface UsbPort {
  readonly number: number;
  /** 2 or 3. */
  readonly usbVersion: number;
  readonly devices: readonly PluggedDevice[];
}

export interface UsbPortsOptions {
  /** Gives ports their numbers, which they keep, and sorts them by these. */
  readonly number: (ports: readonly RootPort[]) => Promise<readonly Numbered<RootPort>[]>;
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

  /** Throws `failed` without a controller, `invalid` for a number that no port has now. */
  async check(port: number): Promise<void> {
    const numbers = (await this.#find()).map(({ number }) => number);
    if (numbers.length === 0)
      throw new TremplinError("failed", "this machine has no xHCI controller with USB ports");
    if (numbers.includes(port)) return;
    throw new TremplinError("invalid", `there is no USB port ${port}: ports are ${rangesText(numbers)}`);
  }

  /** All ports in order; none without a controller. */
  async list(): Promise<readonly UsbPort[]> {
    const ports = await this.#find();
    return await Promise.all(
      ports.map(async ({ number, usbVersion, folder }) => {
        return { number, usbVersion, devices: await pluggedInto(folder, this.#options.sys) };
      }),
    );
  }

  /** The device nodes of everything plugged into these ports; none of a port whose controller is away. */
  async nodes(numbers: readonly number[]): Promise<Devices> {
    const ports = (await this.#find()).filter(({ number }) => numbers.includes(number));
    const all = await Promise.all(ports.map(({ folder }) => usbNodes(folder, this.#options.sys)));
    return Object.assign({}, ...all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#events?.[Symbol.asyncDispose]();
  }

  /** Only the numbers are remembered: a dock brings a controller of its own, and takes it away. */
  async #find(): Promise<readonly Numbered<RootPort>[]> {
    const ports = await findRootPorts(this.#options.sys);
    if (ports.length > 0) this.#events ??= this.#watchKernel();
    return await this.#options.number(ports);
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

/** Ascending numbers as text: `1 to 16, 21 to 24`. */
function rangesText(numbers: readonly number[]): string {
  const starts = numbers.filter((each) => !numbers.includes(each - 1));
  const ends = numbers.filter((each) => !numbers.includes(each + 1));
  return starts.map((start, at) => (start === ends[at] ? `${start}` : `${start} to ${ends[at]}`)).join(", ");
}

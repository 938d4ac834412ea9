import { readdir, readlink } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";

/** The class of an xHCI controller, and the products of its root hubs (docs/contract.md#usb). */
const XHCI = "0x0c0330";
const ROOT_HUBS = [
  { product: "0002", usbVersion: 2 },
  { product: "0003", usbVersion: 3 },
] as const;

/** A root hub of a controller. Its ports are numbered after those of the hubs before it. */
export interface UsbBus {
  /** Below sysfs: `devices/pci0000:00/0000:00:01.0/usb1`. */
  readonly path: string;
  /** The number of the bus: 1 for `usb1`. */
  readonly bus: number;
  readonly usbVersion: 2 | 3;
  readonly ports: number;
  /** The number of its first port among those of all buses, from 1. */
  readonly firstPort: number;
}

type Hub = Omit<UsbBus, "firstPort">;

/**
 * The root hubs of all xHCI controllers of the machine, in the order in which their ports are numbered: by the slot of
 * the controller, USB 2 before USB 3. Controllers with only one hub come last.
 */
export async function findUsbBuses(sys = "/sys"): Promise<readonly UsbBus[]> {
  const slots = join(sys, "bus/pci/devices");
  const controllers: (readonly Hub[])[] = [];
  for (const slot of (await readdir(slots).catch(() => [])).sort()) {
    const device = join(slots, slot);
    if ((await attribute(join(device, "class"))) !== XHCI) continue;
    const link = await readlink(device).catch(() => undefined);
    if (link !== undefined) controllers.push(await hubsOf(relative(sys, resolve(slots, link)), sys));
  }
  const isWhole = (hubs: readonly Hub[]): boolean => hubs.length === ROOT_HUBS.length;
  const ordered = [...controllers.filter(isWhole), ...controllers.filter((hubs) => !isWhole(hubs))].flat();
  return ordered.map((hub, index) => {
    const firstPort = ordered.slice(0, index).reduce((sum, { ports }) => sum + ports, 1);
    return { ...hub, firstPort };
  });
}

/** The number of ports of all buses. */
export function portCount(buses: readonly UsbBus[]): number {
  return buses.reduce((sum, { ports }) => sum + ports, 0);
}

/** Whether a path in sysfs is that of something in a port of a root hub, directly or behind other hubs. */
export function isInPort(path: string): boolean {
  return /\/usb(\d+)\/\1-[1-9]/.test(path);
}

/** The folder of the device plugged into a port, below sysfs; undefined if there is no such port. */
export function folderOfPort(buses: readonly UsbBus[], port: number): string | undefined {
  const found = buses.find(({ firstPort, ports }) => port >= firstPort && port < firstPort + ports);
  return found && join(found.path, `${found.bus}-${port - found.firstPort + 1}`);
}

/** The root hubs of a controller; none of a controller that is being removed. */
async function hubsOf(controller: string, sys: string): Promise<readonly Hub[]> {
  const hubs: Hub[] = [];
  const names = (await readdir(join(sys, controller)).catch(() => [])).filter((name) =>
    /^usb\d+$/.test(name),
  );
  for (const { product, usbVersion } of ROOT_HUBS) {
    for (const name of names) {
      const path = join(controller, name);
      if ((await attribute(join(sys, path, "idProduct"))) !== product) continue;
      const ports = Number(await attribute(join(sys, path, "maxchild")));
      hubs.push({ path, bus: Number(name.slice("usb".length)), usbVersion, ports });
      break;
    }
  }
  return hubs;
}

/** The value of an attribute in sysfs; "" if there is none. */
async function attribute(path: string): Promise<string> {
  return (await textIfReadable(path, "latin1")).trim();
}

import { readdir, readlink } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";

/** The class of an xHCI controller, and the products of its root hubs (docs/contract.md#usb). */
const XHCI = "0x0c0330";
const ROOT_HUBS = [
  { product: "0002", usbVersion: 2 },
  { product: "0003", usbVersion: 3 },
] as const;
/** A PCI device: domain, bus, and its device and function on that bus. */
const SLOT = /^[\da-f]{4,}:[\da-f]{2}:([\da-f]{2}\.\d)$/;

/** A port of a root hub. The first three say where it is on the machine, at every start of it. */
export interface RootPort {
  /** Where the controller is below sysfs, see placeOf. */
  readonly controller: string;
  readonly usbVersion: 2 | 3;
  /** Its number on the hub, from 1. */
  readonly port: number;
  /** The folder below sysfs that a device in this port has: `devices/pci0000:00/0000:00:01.0/usb1/1-3`. */
  readonly folder: string;
}

/**
 * The ports of all xHCI controllers of the machine, in the order in which those never seen before are numbered: by the
 * slot of the controller, USB 2 before USB 3. Controllers with only one hub come last.
 */
export async function findRootPorts(sys = "/sys"): Promise<readonly RootPort[]> {
  const slots = join(sys, "bus/pci/devices");
  const controllers: (readonly RootPort[])[] = [];
  for (const slot of (await readdir(slots).catch(() => [])).sort()) {
    const device = join(slots, slot);
    if ((await attribute(join(device, "class"))) !== XHCI) continue;
    const link = await readlink(device).catch(() => undefined);
    if (link !== undefined) controllers.push(await portsOf(relative(sys, resolve(slots, link)), sys));
  }
  const isWhole = (ports: readonly RootPort[]): boolean =>
    ROOT_HUBS.every(({ usbVersion }) => ports.some((port) => port.usbVersion === usbVersion));
  return [...controllers.filter(isWhole), ...controllers.filter((ports) => !isWhole(ports))].flat();
}

/** Whether a path in sysfs is that of something in a port of a root hub, directly or behind other hubs. */
export function isInPort(path: string): boolean {
  return /\/usb(\d+)\/\1-[1-9]/.test(path);
}

/**
 * The path of a controller without what may differ at the next start: the numbers of the PCI buses behind bridges. The
 * machine counts these as it finds them, so one more dock would shift them.
 */
export function placeOf(path: string): string {
  const parts = path.split("/");
  return parts
    .map((part, at) => (SLOT.test(parts[at - 1] ?? "") ? part.replace(SLOT, "$1") : part))
    .join("/");
}

/** The ports of a controller; none of a controller that is being removed. */
async function portsOf(path: string, sys: string): Promise<readonly RootPort[]> {
  const names = (await readdir(join(sys, path)).catch(() => [])).filter((name) => /^usb\d+$/.test(name));
  const ports: RootPort[] = [];
  for (const { product, usbVersion } of ROOT_HUBS) {
    for (const name of names) {
      const hub = join(path, name);
      if ((await attribute(join(sys, hub, "idProduct"))) !== product) continue;
      const count = Number(await attribute(join(sys, hub, "maxchild"))) || 0;
      const bus = name.slice("usb".length);
      for (let port = 1; port <= count; port++)
        ports.push({ controller: placeOf(path), usbVersion, port, folder: join(hub, `${bus}-${port}`) });
      break;
    }
  }
  return ports;
}

/** The value of an attribute in sysfs; "" if there is none. */
async function attribute(path: string): Promise<string> {
  return (await textIfReadable(path, "latin1")).trim();
}

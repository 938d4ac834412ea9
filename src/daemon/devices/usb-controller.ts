import { readdir, readlink } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";

/** The class of an xHCI controller, and the products of its two root hubs (docs/contract.md#audio-and-usb-devices). */
const XHCI = "0x0c0330";
const ROOT_HUBS = ["0002", "0003"];

/** A root hub. Its ports are numbered after those of the previous hub. */
export interface UsbBus {
  readonly bus: number;
  readonly ports: number;
  /** The number of its first port, 1-based, among those of the controller. */
  readonly firstPort: number;
}

/** The controller whose ports can be assigned: USB 2 first, then USB 3 (docs/contract.md#usb). */
export interface UsbController {
  /** Below sysfs: `devices/pci0000:00/0000:00:01.0`. */
  readonly path: string;
  readonly buses: readonly UsbBus[];
  readonly ports: number;
}

/** The first xHCI controller of the machine that has both root hubs; undefined when there is none. */
export async function findUsbController(sys = "/sys"): Promise<UsbController | undefined> {
  const slots = join(sys, "bus/pci/devices");
  for (const slot of (await readdir(slots).catch(() => [])).sort()) {
    const device = join(slots, slot);
    if ((await attribute(join(device, "class"))) !== XHCI) continue;
    const path = relative(sys, resolve(slots, await readlink(device)));
    const buses = await busesOf(join(sys, path));
    if (buses) return { path, buses, ports: buses.reduce((sum, { ports }) => sum + ports, 0) };
  }
  return undefined;
}

/**
 * The number of the port that a device is plugged into, directly or through hubs. `path`: below sysfs, with or
 * without a leading slash. Undefined for devices elsewhere and for the root hubs themselves.
 */
export function portOf({ path: controller, buses }: UsbController, path: string): number | undefined {
  const below = path.replace(/^\//, "");
  if (!below.startsWith(`${controller}/`)) return undefined;
  const [hub = "", device = ""] = below.slice(controller.length + 1).split("/");
  const place = /^(\d+)-(\d+)(?:[.:]|$)/.exec(device);
  const bus = buses.find((each) => hub === `usb${each.bus}` && Number(place?.[1]) === each.bus);
  const port = Number(place?.[2]);
  return bus && port >= 1 && port <= bus.ports ? bus.firstPort + port - 1 : undefined;
}

/** The folder of the device plugged into a port, below sysfs; undefined if there is no such port. */
export function folderOfPort({ path, buses }: UsbController, port: number): string | undefined {
  const bus = buses.find(({ firstPort, ports }) => port >= firstPort && port < firstPort + ports);
  return bus && join(path, `usb${bus.bus}`, `${bus.bus}-${port - bus.firstPort + 1}`);
}

async function busesOf(folder: string): Promise<readonly UsbBus[] | undefined> {
  const buses: UsbBus[] = [];
  const hubs = (await readdir(folder)).filter((name) => /^usb\d+$/.test(name));
  for (const product of ROOT_HUBS) {
    const found = await findHub(folder, hubs, product);
    if (!found) return undefined;
    const ports = Number(await attribute(join(folder, found, "maxchild")));
    const firstPort = buses.reduce((sum, each) => sum + each.ports, 1);
    buses.push({ bus: Number(found.slice("usb".length)), ports, firstPort });
  }
  return buses;
}

async function findHub(
  folder: string,
  hubs: readonly string[],
  product: string,
): Promise<string | undefined> {
  for (const hub of hubs) if ((await attribute(join(folder, hub, "idProduct"))) === product) return hub;
  return undefined;
}

/** The value of an attribute in sysfs; "" if there is none. */
async function attribute(path: string): Promise<string> {
  return (await textIfReadable(path, "latin1")).trim();
}

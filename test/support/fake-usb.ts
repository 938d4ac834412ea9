import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Node numbers that every kernel has, in the place of what is plugged in: /dev/null. */
const NUMBERS = { major: 1, minor: 3 };

/** A sysfs with an xHCI controller of eight ports of USB 2 and eight of USB 3, for machines without one. */
export interface FakeUsb extends AsyncDisposable {
  readonly sys: string;
  /** Plugs something with one node, `/dev/NODE`, into a port of USB 2, in the place of what was there. */
  plug(port: number, node: string): Promise<void>;
  /** Plugs in one more part of what is in a port of USB 2: a node of a subsystem. */
  plugPart(port: number, part: { readonly subsystem: string; readonly node: string }): Promise<void>;
  unplug(port: number): Promise<void>;
  /** Plugs something with one node into the port with this folder below sysfs. */
  plugInto(folder: string, node: string): Promise<void>;
  /** One more controller in a slot, with root hubs: their product and number of ports. Gives its path below sysfs. */
  addController(
    slot: string,
    hubs: Readonly<Record<string, readonly [product: string, ports: number]>>,
  ): Promise<string>;
  /** Removes the controller in a slot with all that is plugged in there. */
  removeController(slot: string): Promise<void>;
}

export async function fakeUsb(): Promise<FakeUsb> {
  const sys = await mkdtemp(join(tmpdir(), "sys-"));
  const write = async (name: string, text: string) => {
    const path = join(sys, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  await mkdir(join(sys, "bus/pci/devices"), { recursive: true });
  const addController: FakeUsb["addController"] = async (slot, hubs) => {
    const path = `devices/pci0000:00/${slot}`;
    await write(`${path}/class`, "0x0c0330\n");
    for (const [hub, [product, ports]] of Object.entries(hubs)) {
      await write(`${path}/${hub}/idProduct`, `${product}\n`);
      await write(`${path}/${hub}/maxchild`, `${ports}\n`);
    }
    await symlink(`../../../${path}`, join(sys, "bus/pci/devices", slot));
    return path;
  };
  const controller = await addController("0000:00:01.0", { usb1: ["0002", 8], usb2: ["0003", 8] });
  const place = (port: number) => `${controller}/usb1/1-${port}`;
  const addNode = async (folder: string, subsystem: string, node: string) => {
    const { major, minor } = NUMBERS;
    await write(`${folder}/uevent`, `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${node}\n`);
    await symlink(`../../../../../../bus/${subsystem}`, join(sys, folder, "subsystem"));
  };
  const unplug = (port: number) => rm(join(sys, place(port)), { recursive: true, force: true });
  return {
    sys,
    async plug(port, node) {
      await unplug(port);
      await addNode(place(port), "usb", node);
    },
    plugPart: (port, { subsystem, node }) =>
      addNode(`${place(port)}/1-${port}:1.0/${subsystem}`, subsystem, node),
    unplug,
    plugInto: (folder, node) => addNode(folder, "usb", node),
    addController,
    async removeController(slot) {
      await rm(join(sys, "bus/pci/devices", slot));
      await rm(join(sys, `devices/pci0000:00/${slot}`), { recursive: true });
    },
    [Symbol.asyncDispose]: () => rm(sys, { recursive: true }),
  };
}

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const controller = "devices/pci0000:00/0000:00:01.0";

/** Node numbers that every kernel has, in the place of what is plugged in: /dev/null. */
const NUMBERS = { major: 1, minor: 3 };

/** A sysfs with an xHCI controller of eight ports of USB 2 and eight of USB 3, for machines without one. */
export interface FakeUsb extends AsyncDisposable {
  readonly sys: string;
  /** Plugs something with one node, `/dev/NODE`, into a port of USB 2, in the place of what was there. */
  plug(port: number, node: string): Promise<void>;
  unplug(port: number): Promise<void>;
}

export async function fakeUsb(): Promise<FakeUsb> {
  const sys = await mkdtemp(join(tmpdir(), "sys-"));
  const write = async (name: string, text: string) => {
    const path = join(sys, controller, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  await write("class", "0x0c0330\n");
  for (const [hub, product] of Object.entries({ usb1: "0002\n", usb2: "0003\n" })) {
    await write(`${hub}/idProduct`, product);
    await write(`${hub}/maxchild`, "8\n");
  }
  await mkdir(join(sys, "bus/pci/devices"), { recursive: true });
  await symlink(`../../../${controller}`, join(sys, "bus/pci/devices/0000:00:01.0"));
  const unplug = (port: number) =>
    rm(join(sys, controller, `usb1/1-${port}`), { recursive: true, force: true });
  return {
    sys,
    async plug(port, node) {
      await unplug(port);
      const { major, minor } = NUMBERS;
      await write(`usb1/1-${port}/uevent`, `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${node}\n`);
      await symlink("../../../../../../bus/usb", join(sys, controller, `usb1/1-${port}/subsystem`));
    },
    unplug,
    [Symbol.asyncDispose]: () => rm(sys, { recursive: true }),
  };
}

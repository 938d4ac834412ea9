import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";

/** A USB device by its descriptors; "" where it has none. */
export interface PluggedDevice {
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
  /** Vendor and product in hexadecimal: `0403:6001`. */
  readonly id: string;
  /** Mbit/s. */
  readonly speed: string;
}

/** The devices plugged into the port with this folder below sysfs: the device itself, then those behind it if it is a hub. */
export async function pluggedInto(folder: string, sys = "/sys"): Promise<readonly PluggedDevice[]> {
  return await devicesBelow(join(sys, folder));
}

async function devicesBelow(folder: string): Promise<readonly PluggedDevice[]> {
  const attribute = async (name: string): Promise<string> =>
    (await textIfReadable(join(folder, name))).trim();
  const [vendor, id] = await Promise.all(["idVendor", "idProduct"].map(attribute));
  if (!vendor) return [];
  const [manufacturer = "", product = "", serial = "", speed = ""] = await Promise.all(
    ["manufacturer", "product", "serial", "speed"].map(attribute),
  );
  // Devices behind a hub: 1-1.2, 1-1.2.3. Interfaces (1-1:1.0) are not devices.
  const children = (await readdir(folder).catch(() => [])).filter((name) => /^\d+-[\d.]+$/.test(name)).sort();
  const below = await Promise.all(children.map((name) => devicesBelow(join(folder, name))));
  return [{ manufacturer, product, serial, id: `${vendor}:${id}`, speed }, ...below.flat()];
}

import type { Devices } from "../../engine/profiles.ts";

/**
 * What the engine keeps with each device that a container has by a USB port, and carries on when the container is
 * copied, renamed or restored: so it is always known which devices may go (engines leave `user.*` to their users).
 */
const MARK = ["user.tremplin", "usb"] as const;

/** Whether a container has a device by a USB port. */
export function isUsb(device: Devices[string]): boolean {
  return device[MARK[0]] === MARK[1];
}

/**
 * The devices of a container with these nodes in the place of those that it had by USB ports. A device that came
 * from elsewhere stays, and keeps its path.
 */
export function withUsb(devices: Devices, nodes: Devices): Devices {
  const [key, value] = MARK;
  const others = Object.entries(devices).filter(([, device]) => !isUsb(device));
  const taken = new Set(others.flatMap(([name, { path }]) => [name, path]));
  const own = Object.entries(nodes)
    .filter(([path]) => !taken.has(path))
    .map(([path, node]) => [path, { ...node, [key]: value }]);
  return Object.fromEntries([...others, ...own]);
}

import type { Devices } from "../../engine/resources/profiles.ts";

/**
 * What the engine keeps with each device that a container has by a USB port, and carries on when the container is
 * copied, renamed or restored: so it is always known which devices may go (engines leave `user.*` to their users).
 */
const MARK = ["user.tremplin", "usb"] as const;
/** What says which device a node is; all else of an entry a person may set (its mode, its group ...). */
const IDENTITY = new Set(["type", "path", "major", "minor"]);

/** Whether a container has a device by a USB port. */
export function isUsb(device: Devices[string]): boolean {
  return device[MARK[0]] === MARK[1];
}

/**
 * The devices of a container with these nodes in the place of those that it had by USB ports. A device that came
 * from elsewhere stays, and keeps its path; one that is there still keeps what a person set of it.
 */
export function withUsb(devices: Devices, nodes: Devices): Devices {
  const [key, value] = MARK;
  const others = Object.entries(devices).filter(([, device]) => !isUsb(device));
  const taken = new Set(others.flatMap(([name, { path }]) => [name, path]));
  const own = Object.entries(nodes)
    .filter(([path]) => !taken.has(path))
    .map(([path, node]) => [path, { ...node, ...choicesOf(devices[path]), [key]: value }]);
  return Object.fromEntries([...others, ...own]);
}

function choicesOf(device: Devices[string] | undefined): Devices[string] {
  return Object.fromEntries(Object.entries(device ?? {}).filter(([option]) => !IDENTITY.has(option)));
}

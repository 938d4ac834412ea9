import type { Devices } from "../../engine/resources/profiles.ts";

/**
 * The option that marks each device that a container has through a USB port. It survives when the container is copied,
 * renamed or restored, so it always shows which devices may be removed. Engines leave `user.*` to their users.
 */
const MARK = ["user.tremplin", "usb"] as const;
/** The options that say which device a node is. A person may set all others: mode, group ... */
const IDENTITY = new Set(["type", "path", "major", "minor"]);

/** Whether a container has the device through a USB port. */
export function isUsb(device: Devices[string]): boolean {
  return device[MARK[0]] === MARK[1];
}

/**
 * The devices of a container, with `nodes` instead of those that it has through USB ports. Other devices stay and keep
 * their path. A node that the container has already keeps the options that a person set.
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

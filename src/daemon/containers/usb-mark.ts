import type { Devices } from "../../engine/resources/profiles.ts";

/**
 * Marks a container's device that came from a USB port. The engine keeps it when the container is copied, renamed
 * or restored, so the daemon always knows which devices it may remove (`user.*` keys belong to the engine's users).
 */
const MARK = ["user.tremplin", "usb"] as const;
/** The keys that identify a node; a person may set all others (mode, group ...). */
const IDENTITY = new Set(["type", "path", "major", "minor"]);

/** Whether a device came from a USB port. */
export function isUsb(device: Devices[string]): boolean {
  return device[MARK[0]] === MARK[1];
}

/**
 * The devices of a container with its USB devices replaced by these nodes. Other devices stay and keep their paths;
 * a USB device that is still plugged in keeps what a person set of it.
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

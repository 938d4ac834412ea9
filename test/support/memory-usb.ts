/** A hub, and what is behind it. */
const devices = [
  { manufacturer: "Maker", product: "Hub", id: "0409:55aa", speed: "480" },
  { product: "Stick", id: "46f4:0001", speed: "12" },
];

const PORTS = [1, 2];

/** The two USB ports of a guest that is only in memory, the first with something in it. */
export class MemoryUsb {
  hasController = true;
  readonly #owners = new Map<number, string>();

  /** The answer to an attach of a container that there is. */
  attach(portNum: number, containerName: string) {
    if (!PORTS.includes(portNum)) return { status: 3, failureReason: `there is no USB port ${portNum}` };
    this.#owners.set(portNum, containerName);
    return { status: 1 };
  }

  detach(portNum: number) {
    this.#owners.delete(portNum);
    return { status: 1 };
  }

  list() {
    if (!this.hasController) return { ports: [] };
    const ports = PORTS.map((number) => ({
      number,
      usbVersion: number + 1,
      containerName: this.#owners.get(number) ?? "",
      devices: number === 1 ? devices : [],
    }));
    return { ports };
  }
}

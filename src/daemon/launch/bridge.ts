import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../base/durable-file.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { findDnsmasq } from "./bridge-dnsmasq.ts";
import { formatSubnet, overlaps, type Subnet, usedSubnets } from "./subnet.ts";

/** Which network interface our engine made: its index tells it from another of the same name until a reboot. */
interface Claim {
  readonly name: string;
  readonly index: string;
  readonly boot: string;
}

/**
 * The bridge of the containers, as far as it is a thing of this machine. An engine takes any interface of the
 * right name for its own and reconfigures it, so whose it is must be known before the engine runs.
 */
export class Bridge {
  readonly name: string;
  readonly #claimPath: string;
  readonly #engineFolder: string;

  constructor(options: { name: string; stateFolder: string; engineFolder: string }) {
    this.name = options.name;
    this.#claimPath = join(options.stateFolder, "bridge.json");
    this.#engineFolder = options.engineFolder;
  }

  /** Throws `failed` when the bridge or its subnet belongs to something else on this machine. */
  async check(subnet: Subnet | undefined): Promise<void> {
    const index = await this.#index();
    const ours = index !== undefined && (await this.#isOurs(index));
    if (index !== undefined && !ours) {
      throw new TremplinError(
        "failed",
        `the network interface ${this.name} exists already and belongs to something else on this machine; give another name with --bridge`,
      );
    }
    if (!subnet) return;
    const others = (await usedSubnets()).filter((used) => used.interface !== this.name);
    const holder = others.find((used) => overlaps(used, subnet));
    if (holder) {
      throw new TremplinError(
        "failed",
        `the subnet ${formatSubnet(subnet)} overlaps with ${formatSubnet(holder)} of the interface ${holder.interface}; give another with --lxd-subnet`,
      );
    }
  }

  /** Remembers that the interface as it is now was made by our engine. */
  async claim(): Promise<void> {
    const index = await this.#index();
    if (index === undefined) return;
    const claim: Claim = { name: this.name, index, boot: await bootId() };
    await replaceFile(this.#claimPath, JSON.stringify(claim));
  }

  async #isOurs(index: string): Promise<boolean> {
    const claim = await readFile(this.#claimPath, "utf8").then(
      (text) => JSON.parse(text) as Claim,
      () => undefined,
    );
    if (claim?.name === this.name && claim.index === index && claim.boot === (await bootId())) return true;
    // When both daemon and engine died before the claim was written, the engine's dnsmasq still tells.
    return (await findDnsmasq(this.#engineFolder, this.name)) !== undefined;
  }

  async #index(): Promise<string | undefined> {
    return readFile(`/sys/class/net/${this.name}/ifindex`, "utf8").then(
      (text) => text.trim(),
      () => undefined,
    );
  }
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

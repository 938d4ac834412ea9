import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, textIfReadable } from "../../../base/files/files.ts";
import { bootId } from "../../../base/processes/process-info.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { networksOnDisk } from "../../../engine/storage/local-paths.ts";
import { readConfigBackup } from "../config-backup/config-backup.ts";
import { interfaceIndex, isEnginesBridge } from "./bridge-ownership.ts";
import { formatSubnet, holderOf, type Subnet } from "./subnet.ts";
import { usedSubnets } from "./used-subnets.ts";

/** The network interface that the managed engine made. Until a reboot the index identifies it; names are reused. */
interface Claim {
  readonly name: string;
  readonly index: string;
  readonly boot: string;
}

/**
 * The network interface of the containers' bridge. An engine takes any interface of the right name for its own and
 * reconfigures it, so the daemon checks who made it before the engine runs.
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

  /** Throws `failed` when something else on this machine has an interface of that name, or uses the subnet. */
  async check(subnet: Subnet | undefined): Promise<void> {
    const index = await interfaceIndex(this.name);
    const ours = index !== undefined && (await this.#isOurs(index));
    if (index !== undefined && !ours) {
      throw new TremplinError(
        "failed",
        `the network interface ${this.name} exists already and belongs to something else on this machine; give another name with --bridge`,
      );
    }
    if (!subnet) return;
    const others = (await usedSubnets()).filter((each) => each.interface !== this.name);
    const used = holderOf(subnet, others);
    if (used) {
      throw new TremplinError(
        "failed",
        `the subnet ${formatSubnet(subnet)} overlaps with ${formatSubnet(used)} of ${used.holder}; give another with --lxd-subnet`,
      );
    }
  }

  /**
   * Throws `failed` when something else made an interface with the name of another network of the engine. For an
   * engine that does not run yet.
   */
  async checkOthers(): Promise<void> {
    for (const name of await this.#others()) {
      if ((await interfaceIndex(name)) === undefined || (await isEnginesBridge(this.#engineFolder, name)))
        continue;
      throw new TremplinError(
        "failed",
        `the network interface ${name} exists already and belongs to something else on this machine, and the engine would take it for its own network ${name}: give the interface another name (ip link set ${name} name NAME) and try again`,
      );
    }
  }

  /** Records that the managed engine made the interface that has the name now. */
  async claim(): Promise<void> {
    const index = await interfaceIndex(this.name);
    if (index === undefined) return;
    const claim: Claim = { name: this.name, index, boot: bootId() };
    const text = JSON.stringify(claim);
    // Not written without need: on a full disk an engine that runs must still be adopted.
    if (text !== (await textIfReadable(this.#claimPath))) await replaceFile(this.#claimPath, text);
  }

  /** The other networks in the config backup, and those that the engine has a folder for. */
  async #others(): Promise<string[]> {
    const { networks } = await readConfigBackup(this.#engineFolder);
    const recorded = networks.filter(({ type }) => type === "bridge").map(({ name }) => name);
    const onDisk = await networksOnDisk(this.#engineFolder);
    return [...new Set([...recorded, ...onDisk])].filter((name) => name !== this.name);
  }

  async #isOurs(index: string): Promise<boolean> {
    // A claim that cannot be read counts as none.
    const claim = await readFile(this.#claimPath, "utf8")
      .then((text) => JSON.parse(text) as Partial<Claim> | null)
      .catch(() => undefined);
    if (claim?.name === this.name && claim.index === index && claim.boot === bootId()) return true;
    return await isEnginesBridge(this.#engineFolder, this.name);
  }
}

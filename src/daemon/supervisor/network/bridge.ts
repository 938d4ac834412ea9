import { join } from "node:path";
import * as z from "zod";
import { JsonFile } from "../../../base/files/json-file.ts";
import type { Logger } from "../../../base/logger.ts";
import { bootId } from "../../../base/processes/process-info.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { networksOnDisk } from "../../../engine/storage/local-paths.ts";
import { readConfigBackup } from "../config-backup/config-backup.ts";
import { interfaceIndex, isEnginesBridge } from "./bridge-ownership.ts";
import { formatSubnet, holderOf, type Subnet } from "./subnet.ts";
import { usedSubnets } from "./used-subnets.ts";

/** The network interface that the managed engine made. Until a reboot the index identifies it; names are reused. */
const claimSchema = z.object({ name: z.string(), index: z.string(), boot: z.string() });

/**
 * The network interface of the containers' bridge. An engine takes any interface of the right name for its own and
 * reconfigures it, so the daemon checks who made it before the engine runs.
 */
export class Bridge {
  readonly name: string;
  readonly #claim: JsonFile<typeof claimSchema>;
  readonly #engineFolder: string;
  readonly #log: Logger;

  constructor(options: { name: string; stateFolder: string; engineFolder: string; log: Logger }) {
    this.name = options.name;
    this.#claim = new JsonFile({
      path: join(options.stateFolder, "bridge.json"),
      schema: claimSchema,
      without: "the bridge is recognised by the engine's own network, and written down again",
    });
    this.#engineFolder = options.engineFolder;
    this.#log = options.log;
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
      if ((await interfaceIndex(name)) === undefined || (await this.#isOfEngine(name))) continue;
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
    // Not written without need: on a full disk an engine that runs must still be adopted.
    await this.#claim.writeIfChanged({ name: this.name, index, boot: bootId() });
  }

  /** The other networks in the config backup, and those that the engine has a folder for. */
  async #others(): Promise<string[]> {
    const { networks } = await readConfigBackup(this.#engineFolder, this.#log);
    const recorded = networks.filter(({ type }) => type === "bridge").map(({ name }) => name);
    const onDisk = await networksOnDisk(this.#engineFolder);
    return [...new Set([...recorded, ...onDisk])].filter((name) => name !== this.name);
  }

  async #isOurs(index: string): Promise<boolean> {
    const claim = await this.#claim.readOrSetAside(this.#log);
    if (claim?.name === this.name && claim.index === index && claim.boot === bootId()) return true;
    return await this.#isOfEngine(this.name);
  }

  #isOfEngine(name: string): Promise<boolean> {
    return isEnginesBridge(this.#engineFolder, name, this.#log);
  }
}

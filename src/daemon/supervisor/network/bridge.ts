import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../../base/files/durable-file.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { networksOnDisk } from "../../../engine/storage/local-paths.ts";
import { readConfigBackup } from "../config-backup/config-backup.ts";
import { bootId, interfaceIndex, isEnginesBridge } from "./bridge-ownership.ts";
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
    const index = await interfaceIndex(this.name);
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

  /**
   * Throws `failed` when an interface has the name of another network of the engine and is somebody else's; for an
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

  /** Remembers that the interface as it is now was made by our engine. */
  async claim(): Promise<void> {
    const index = await interfaceIndex(this.name);
    if (index === undefined) return;
    const claim: Claim = { name: this.name, index, boot: await bootId() };
    const text = JSON.stringify(claim);
    // On a full disk an engine that runs must still be taken over.
    if (text !== (await readFile(this.#claimPath, "utf8").catch(() => "")))
      await replaceFile(this.#claimPath, text);
  }

  /** Networks that were written down, and those that the engine has a folder for. */
  async #others(): Promise<string[]> {
    const { networks } = await readConfigBackup(this.#engineFolder);
    const recorded = networks.filter(({ type }) => type === "bridge").map(({ name }) => name);
    const onDisk = await networksOnDisk(this.#engineFolder);
    return [...new Set([...recorded, ...onDisk])].filter((name) => name !== this.name);
  }

  async #isOurs(index: string): Promise<boolean> {
    // A claim that cannot be read is none; whether the engine itself made the interface is asked below.
    const claim = await readFile(this.#claimPath, "utf8")
      .then((text) => JSON.parse(text) as Partial<Claim> | null)
      .catch(() => undefined);
    if (claim?.name === this.name && claim.index === index && claim.boot === (await bootId())) return true;
    return await isEnginesBridge(this.#engineFolder, this.name);
  }
}

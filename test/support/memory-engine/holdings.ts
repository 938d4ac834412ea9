import type { Network } from "../../../src/engine/resources/networks.ts";
import type { Pool } from "../../../src/engine/resources/pools.ts";
import type { Profile } from "../../../src/engine/resources/profiles.ts";
import { MemoryEvents } from "./events.ts";
import type { ImageRecord } from "./image-record.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { MemoryOperations } from "./operations.ts";
import { Refusal } from "./rest.ts";
import { Timestamps } from "./timestamps.ts";

/** All that an engine holds. It outlives the engine's death. */
export class Holdings {
  readonly times = new Timestamps();
  readonly events = new MemoryEvents(this.times);
  readonly operations = new MemoryOperations(this.events, this.times);
  readonly instances = new Map<string, InstanceRecord>();
  /** By fingerprint. */
  readonly images = new Map<string, ImageRecord>();
  /** Fingerprints by their names. */
  readonly aliases = new Map<string, string>();
  /** The images of the image servers, by alias. */
  readonly remoteImages = new Map<string, ImageRecord>();
  readonly profiles = new Map<string, Profile>([["default", defaultProfile]]);
  readonly pools = new Map<string, Pool>([["default", defaultPool]]);
  readonly networks = new Map<string, Network>();
  /** Bytes on the root of each instance. */
  diskUsage = 1e8;
  /** Bytes of the pool. */
  readonly space = { used: 1e9, total: 100e9 };

  /** Throws the API's 404. */
  instance(name: string | undefined): InstanceRecord {
    const found = this.instances.get(name ?? "");
    if (!found) throw new Refusal(404, "Instance not found");
    return found;
  }

  /** By its fingerprint or a beginning of it. Throws the API's 404. */
  image(fingerprint: string | undefined): ImageRecord {
    const found = [...this.images.values()].find((image) => image.fingerprint.startsWith(fingerprint ?? ""));
    if (!found) throw new Refusal(404, "Image not found");
    return found;
  }
}

const defaultProfile: Profile = {
  name: "default",
  description: "Default LXD profile",
  config: {},
  devices: { root: { type: "disk", path: "/", pool: "default" } },
  used_by: [],
};

const defaultPool: Pool = {
  name: "default",
  description: "",
  driver: "btrfs",
  config: { source: "/nowhere/default.img" },
  status: "Created",
  used_by: [],
};

import type { Network } from "../../../src/engine/resources/networks.ts";
import type { Pool } from "../../../src/engine/resources/pools.ts";
import type { Profile } from "../../../src/engine/resources/profiles.ts";
import { MemoryEvents } from "./events.ts";
import type { ImageRecord } from "./image-record.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { MemoryOperations } from "./operations.ts";
import { Timestamps } from "./timestamps.ts";
/** All that an engine holds. It outlives the engine's death. */
export declare class Holdings {
    readonly times: Timestamps;
    readonly events: MemoryEvents;
    readonly operations: MemoryOperations;
    readonly instances: Map<string, InstanceRecord>;
    /** By fingerprint. */
    readonly images: Map<string, ImageRecord>;
    /** Fingerprints by their names. */
    readonly aliases: Map<string, string>;
    /** The images of the image servers, by alias. */
    readonly remoteImages: Map<string, ImageRecord>;
    readonly profiles: Map<string, Profile>;
    readonly pools: Map<string, Pool>;
    readonly networks: Map<string, Network>;
    /** Bytes on the root of each instance. */
    diskUsage: number;
    /** Bytes of the pool. */
    readonly space: {
        used: number;
        total: number;
    };
    /** Throws the API's 404. */
    instance(name: string | undefined): InstanceRecord;
    /** By its fingerprint or a beginning of it. Throws the API's 404. */
    image(fingerprint: string | undefined): ImageRecord;
}

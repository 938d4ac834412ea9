import type { Holdings } from "./holdings.ts";
import { type InstanceRecord } from "./instance-record.ts";
import { type Route, type Work } from "./rest.ts";
/** Snapshots of instances: taken, read, limited in time and deleted. */
export declare function snapshotRoutes(held: Holdings): Route[];
/** Puts an instance back to a snapshot; one that runs is started again for that, as LXD does it. */
export declare function restoreSnapshot(held: Holdings, instance: InstanceRecord, name: string): Work;

import type { InstanceCreate } from "../../../src/engine/resources/instance.ts";
import type { Holdings } from "./holdings.ts";
import { type Content, type SnapshotRecord } from "./instance-record.ts";
type NewContent = Content & {
    readonly snapshots: SnapshotRecord[];
};
/**
 * Where a new instance comes from. Throws what the API refuses at once; what is answered throws what the operation
 * fails with.
 */
export declare function contentOf(held: Holdings, body: InstanceCreate): () => NewContent;
export {};

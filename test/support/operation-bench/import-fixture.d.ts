import { OperationBench } from "../operation-bench.ts";
import { type RawMember } from "../tar-bytes.ts";
/** The members of a backup of which no two are the same, so that no two imports share an image. */
export declare function backupMembers(text?: string): RawMember[];
/** A bench with a running container c1, and a backup to import in its place. */
export declare function importBench(): Promise<OperationBench>;
/** All containers: name, state and what is precious in them. */
export declare function containers({ engine }: OperationBench): string[];

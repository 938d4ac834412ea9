import type { Command, Executed } from "../memory-engine/exec.ts";
import { OperationBench } from "../operation-bench.ts";
declare const versions: {
    readonly bullseye: "11";
    readonly bookworm: "12";
    readonly trixie: "13";
};
type Codename = keyof typeof versions;
/** Decides the outcome of a program in the container; undefined for the usual one. */
export type Override = (words: string, command: Command) => Executed | undefined | Promise<Executed | undefined>;
/** A bench with a running container c1 of Debian 11, whose apt upgrades it to what its sources name. */
export declare function debianBench(override?: Override): Promise<OperationBench>;
/** A bench with a container c1 as upgrades left it, each of which took a snapshot under the id of its operation. */
export declare function upgradedBench(releases?: readonly Codename[]): Promise<OperationBench>;
/** All that an upgrade, or its rollback, leaves in the engine. */
export declare function leftOf(bench: OperationBench, name?: string): {
    status: "Frozen" | "Running" | "Stopped";
    release: string | undefined;
    mark: string | undefined;
    snapshots: string[];
};
export {};

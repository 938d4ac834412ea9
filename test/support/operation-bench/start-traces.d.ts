import type { OperationBench } from "../operation-bench.ts";
/** The parts of a container that a start changes. */
export declare function traces({ engine }: OperationBench, name?: string): {
    status: "Frozen" | "Running" | "Stopped";
    mark: string | undefined;
    snapshots: string[];
    isProvisioned: boolean;
};
/** After a start that succeeded. */
export declare const running: {
    status: string;
    mark: undefined;
    snapshots: never[];
    isProvisioned: boolean;
};
/** After one that did not. */
export declare const untouched: {
    status: string;
    mark: undefined;
    snapshots: never[];
    isProvisioned: boolean;
};
/** Makes a container that ran, so that a privileged start changes the owners of its files. */
export declare function createShifted({ actions: hands }: OperationBench): Promise<void>;

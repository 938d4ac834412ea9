import type { Bench } from "../engine-behaviour.ts";
/** Snapshots: taken, restored, limited in time and deleted. */
export declare function snapshotBehaviour(bench: () => Bench): void;

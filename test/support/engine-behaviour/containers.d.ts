import type { Bench } from "../engine-behaviour.ts";
/** Containers: created, or not. */
export declare function containerCreation(bench: () => Bench): void;
/** Containers: started, frozen, stopped. */
export declare function containerStates(bench: () => Bench): void;
/** Containers: renamed, protected, changed. */
export declare function containerChanges(bench: () => Bench): void;

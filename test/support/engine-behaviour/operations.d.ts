import type { Bench } from "../engine-behaviour.ts";
/** Work in the background: its progress, its end and its events. */
export declare function operationBehaviour(bench: () => Bench): void;

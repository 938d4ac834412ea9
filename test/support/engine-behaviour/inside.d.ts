import type { Bench } from "../engine-behaviour.ts";
import type { Execute } from "../memory-engine/exec.ts";
/** These programs, for an engine that has none. */
export declare const executePrograms: Execute;
/** Programs and files in a container. */
export declare function insideBehaviour(bench: () => Bench): void;

import type { Bench } from "../engine-behaviour.ts";
/** Images: uploaded, named, made of snapshots and deleted. Profiles and pools, as far as anything asks for them. */
export declare function imageBehaviour(bench: () => Bench): void;
/** Profiles and pools. */
export declare function profileBehaviour(bench: () => Bench): void;

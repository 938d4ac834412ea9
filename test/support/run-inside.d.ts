import type { Engine } from "../../src/engine/engine.ts";
/** Runs a script in a running container and gives what it printed; fails with its errors unless it ends well. */
export declare function runInside(engine: Engine, container: string, script: string): Promise<string>;

import type { Engine } from "../../src/engine/engine.ts";
export declare const accountFiles: string[];
/** The content of a container's account files and their backups (`passwd-`), by name; "" for a missing one. */
export declare function accountContents(engine: Engine, container: string): Promise<Record<string, string>>;

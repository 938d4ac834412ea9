import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
/**
 * Makes the name server of a daemon's bridge give the bridge's own address for a name, so that a test's server has a
 * name in containers, as real mirrors have.
 */
export declare function nameOnBridge(daemon: TestDaemon, engine: Engine, name: string): Promise<void>;

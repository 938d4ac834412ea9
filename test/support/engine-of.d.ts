import { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
/** A client of the engine that a daemon launched, beside the daemon's own: to look into containers, and to prepare them. */
export declare function engineOf(daemon: TestDaemon): Promise<Engine>;

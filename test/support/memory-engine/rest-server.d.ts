import type { MemoryExec } from "./exec.ts";
import type { Faults } from "./faults.ts";
import type { Holdings } from "./holdings.ts";
import { type Route } from "./rest.ts";
interface Parts {
    readonly routes: readonly Route[];
    readonly faults: Faults;
    readonly holdings: Holdings;
    readonly exec: MemoryExec;
}
/** Speaks HTTP for an engine: finds the route of each request, wraps its answer, and turns some into streams. */
export declare class RestServer {
    #private;
    constructor(parts: Parts);
    listen(path: string): Promise<void>;
    /** Breaks off all connections. */
    close(): Promise<void>;
}
export {};

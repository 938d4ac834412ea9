import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Timestamps } from "./timestamps.ts";
/** The stream of events, for all clients that are connected. */
export declare class MemoryEvents {
    #private;
    constructor(times: Timestamps);
    accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
    send(type: "operation" | "lifecycle", metadata: unknown): void;
    /** Something happened to an instance; `source` is its path below /1.0. */
    lifecycle(action: string, source: string, context?: object): void;
}

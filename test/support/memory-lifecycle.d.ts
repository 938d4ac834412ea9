import type { ServiceImpl } from "@connectrpc/connect";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";
type Handlers = Partial<ServiceImpl<typeof Tremplin>>;
/** Starts the engine. */
export declare function launchHandlers(guest: MemoryGuest): Handlers;
/** Creates and deletes containers. */
export declare function creationHandlers(guest: MemoryGuest): Handlers;
/** Starts and stops containers. */
export declare function powerHandlers(guest: MemoryGuest): Handlers;
export {};

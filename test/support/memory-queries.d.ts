import type { ServiceImpl } from "@connectrpc/connect";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";
type Handlers = Partial<ServiceImpl<typeof Tremplin>>;
/** The rpcs that begin no operation. */
export declare function queryHandlers(guest: MemoryGuest): Handlers;
export {};

import type { ServiceImpl } from "@connectrpc/connect";
import type { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";
type Handlers = Partial<ServiceImpl<typeof Tremplin>>;
/** Upgrades containers. */
export declare function upgradeHandlers(guest: MemoryGuest): Handlers;
export {};

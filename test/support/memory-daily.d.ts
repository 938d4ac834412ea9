import { type ServiceImpl } from "@connectrpc/connect";
import type { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";
/** What people do with containers every day. */
export declare function dailyHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>>;

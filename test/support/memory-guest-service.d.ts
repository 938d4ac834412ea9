import { type ServiceImpl } from "@connectrpc/connect";
import { type Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import type { MemoryGuest } from "./memory-guest.ts";
/** The rpcs of tremplin.v1.Guest. */
export declare function guestHandlers(guest: MemoryGuest): Partial<ServiceImpl<typeof Guest>>;

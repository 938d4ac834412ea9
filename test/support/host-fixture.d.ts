import type { TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { type Logger } from "../../src/base/logger.ts";
import { type Event } from "../../src/contract/tremplin/v1/host_pb.js";
import { TremplinListener } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { MemoryGuest } from "./memory-guest.ts";
/** A folder with sockets for a host and its guests, and a client of the host. */
export interface HostFixture {
    readonly folder: string;
    readonly hostAddress: Address;
    readonly api: <S extends Parameters<typeof createClient>[0]>(service: S) => ReturnType<typeof createClient<S>>;
    /** The same at the address where a guest sends its notices. */
    readonly listener: (guest: string) => ReturnType<typeof createClient<typeof TremplinListener>>;
    guest(name: string, unchanged?: boolean): Promise<MemoryGuest>;
    /** Serves a host with guests of these names, each with a listener of its own. `guest` opens each of them. */
    host(...guests: string[]): Promise<AsyncDisposable>;
    /** The ports of each guest that hosts open from now on. */
    maxForwards: number | undefined;
}
export declare function hostFixture(t: TestContext, log?: Logger): Promise<HostFixture>;
/** An event in one line: guest, kind, container, status. */
export declare function eventText({ guest, notice }: Event): string;
/** The events that the host has recorded. */
export declare function recordedEvents({ api }: HostFixture): Promise<string[]>;
/** For assert.rejects: an error of the transport with this code and a message like this. */
export declare function hasCode(expected: Code, message: RegExp): (error: unknown) => boolean;

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type HandlerContext } from "@connectrpc/connect";
import { type Container, Engine_State, type GetStatusResponse, type OrphanSchema } from "../../src/contract/tremplin/v1/guest_pb.js";
import { TremplinListener } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { MemoryPorts } from "./memory-ports.ts";
import { MemoryUsb } from "./memory-usb.ts";
export interface MemoryGuestOptions {
    readonly address: Address;
    /** Where its notices go. */
    readonly host: Address;
    /** Implements the contract only and sends no daemon id, as the original does. */
    readonly unchanged?: boolean;
}
/** A guest whose containers exist in memory only: the other side of the wire for tests of host and command line. */
export declare class MemoryGuest implements AsyncDisposable {
    #private;
    readonly daemonId: `${string}-${string}-${string}-${string}-${string}`;
    readonly containers: Map<string, string>;
    /** Of every container. */
    readonly settings: Record<string, string>;
    /** As NAME/SNAPSHOT. */
    readonly snapshots: Set<string>;
    readonly operations: {
        id: string;
        kind: string;
        containerName: string;
        waitsForRecovery?: boolean;
    }[];
    /** The requests it received, in order. */
    readonly asked: string[];
    engine: Engine_State;
    /** Operations end only after this promise. */
    gate: Promise<unknown>;
    /** A rename that it has accepted is answered only after this promise. */
    answers: Promise<unknown>;
    /** More fields of each container in its list. */
    containerFields: Partial<Pick<Container, "state" | "operation" | "ipv4Address" | "addresses" | "image" | "createdAt" | "hasRollbackSnapshot">>;
    /** How often it was asked for its list. */
    lists: number;
    /** Set to make every operation fail with this reason. */
    fault: string;
    /** The shared folder, on disk. */
    get shared(): string;
    /** The size of each backup that it writes; 0: that of a text. */
    backupBytes: number;
    /** What an export adds to its success. */
    remark: string;
    /** More fields of its status. */
    status: Partial<GetStatusResponse>;
    readonly orphans: MessageInitShape<typeof OrphanSchema>[];
    readonly problems: {
        readonly area: string;
        readonly problem: string;
        readonly advice: string;
    }[];
    /** Containers in which only TZ can be set. */
    readonly withoutZones: Set<string>;
    /** The time zone of each container. */
    zone: string;
    /** Of each container that runs. */
    address: string;
    /** Of each container in which none was set up. Empty: none. */
    defaultUser: string;
    /** The first account that was set up, in any container. */
    primaryUser: string;
    /** What its answers say beside their messages. */
    notes: string[];
    readonly usb: MemoryUsb;
    readonly ports: MemoryPorts;
    constructor(options: MemoryGuestOptions);
    static open(options: MemoryGuestOptions): Promise<MemoryGuest>;
    listen(): Promise<void>;
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    /** Sends a notice until the host acknowledges it. Default: of the operation that runs now. */
    notify<M extends keyof typeof TremplinListener.method>(method: M, message: MessageInitShape<(typeof TremplinListener.method)[M]["input"]>, operation?: string | undefined): Promise<void>;
    /** Each time a second later, in which half a processor was busy and 2048 bytes arrived. */
    nextUsage(): {
        usage: {
            measuredAt: import("@bufbuild/protobuf/wkt").Timestamp;
            cpuNanoseconds: bigint;
            memoryBytes: bigint;
            processes: number;
            receivedBytes: bigint;
        };
    };
    get metadata(): Record<string, string>;
    nameOperation({ responseHeader }: HandlerContext): void;
    cancel({ requestHeader }: HandlerContext): {
        status: number;
    };
    gateOrCancel(): Promise<void>;
    outcome(good: object, bad: object, cancelled?: number): object;
    begin(kind: string, containerName: string, work: () => Promise<void>): void;
}

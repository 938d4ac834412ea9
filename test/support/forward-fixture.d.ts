import { type Socket } from "node:net";
import type { TestContext } from "node:test";
import { type Forward } from "../../src/contract/tremplin/v1/host_pb.js";
import { type HostFixture } from "./host-fixture.ts";
import type { MemoryGuest } from "./memory-guest.ts";
/** A host with one guest, and what it forwards. */
export interface ForwardFixture extends HostFixture {
    readonly vm: MemoryGuest;
    readonly running: AsyncDisposable;
    /** Waits until the list of forwards, one line each, is this one. */
    shows(...lines: string[]): Promise<void>;
    /** Waits for the first list that passes. */
    until(passes: (forwards: readonly Forward[]) => boolean, what: string): Promise<readonly Forward[]>;
}
export declare function forwardFixture(t: TestContext): Promise<ForwardFixture>;
export declare function watching(at: HostFixture): Pick<ForwardFixture, "shows" | "until">;
/** "vm one:8080 OPEN 8081: reason". */
export declare function forwardText({ guest, containerName, port, state, hostPort, reason }: Forward): string;
/** Ports of this machine that nothing uses, each followed by another one. */
export declare function freePorts(count: number): Promise<number[]>;
/** Connects to a port of this machine. */
export declare function open(port: number, host?: string): Promise<Socket>;
/** Everything until the end. */
export declare function textOf(socket: Socket): Promise<string>;

import type { PortSource, SocketCounts } from "../../src/daemon/watch/ports/port-source.ts";
/** A container's sockets that a test opens and closes. */
export declare class FakePorts implements PortSource {
    #private;
    /** How often all ports were read. */
    reads: number;
    disposed: boolean;
    /** Thrown by everything while it is set. */
    error: Error | undefined;
    /** False where control groups do not tell whether programs ran. */
    showsActivity: boolean;
    constructor(...listening: number[]);
    /** A program opens and closes ports, so that these are left. */
    listen(...ports: number[]): void;
    /** A program runs and does something else. */
    run(): void;
    /** The container ends. */
    end(): void;
    activity(): string | undefined;
    socketCounts(): SocketCounts;
    ports(): Generator<readonly number[]>;
    openNetwork(): undefined;
    [Symbol.dispose](): void;
}

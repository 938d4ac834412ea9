import { type Socket } from "node:net";
import { type ConnectRouter } from "@connectrpc/connect";
import fc from "fast-check";
import type { Address } from "../../src/transport/address.ts";
import type { Tls } from "../../src/transport/tls.ts";
type SocketAddress = Exclude<Address, {
    kind: "vsock";
}>;
/** As many rounds as a second has time for. fast-check tells the seed of one that fails. */
export declare const fuzzing: {
    numRuns: number;
    interruptAfterTimeLimit: number;
    markInterruptAsFailure: boolean;
};
/** How a hostile peer says its bytes and goes: each number counts turns of the event loop, or bytes. */
export declare const manners: fc.Arbitrary<{
    cut: number;
    turnsBeforeLeaving: number;
    turnsHalfOpen: number;
    resets: boolean;
}>;
export type Manners = typeof manners extends fc.Arbitrary<infer T> ? T : never;
/** Says the bytes on a connected socket and goes. Resolves when the socket is closed. */
export declare function throwBytes(socket: Socket, bytes: Buffer, how: Manners): Promise<void>;
/** Waits for turns of the event loop. */
export declare function turns(count: number): Promise<void>;
/** Collects what would have ended the process, while it lives. */
export declare function whatEscapes(): Disposable & {
    readonly seen: readonly unknown[];
};
/** Rpcs of each kind, one of them with a bug. */
export declare function hostileRoutes(router: ConnectRouter): void;
export interface Provoked {
    /** Makes a connection; without TLS by default. */
    readonly open?: () => Promise<Socket>;
    /** For the good call at the end. */
    readonly tls?: Tls;
    readonly token?: string;
}
/** Throws bytes at a listener of `hostileRoutes` for a while. It still answers then, and nothing has escaped. */
export declare function provoke(address: SocketAddress, { open, tls, token }?: Provoked): Promise<void>;
export declare function temporaryFolder(): Promise<AsyncDisposable & {
    readonly path: string;
}>;
export {};

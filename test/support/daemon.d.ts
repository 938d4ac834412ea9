import { type Client } from "@connectrpc/connect";
import { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
import { type Connection } from "../../src/transport/client.ts";
import { RecordingListener } from "./listener.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
export interface DaemonOptions {
    /** A site's name or file; without, `generic` whose containers stay stopped when the engine starts. */
    readonly site?: string;
    /** As the daemon's --engine; whichever is installed without. */
    readonly engine?: string;
    /** More words for the command line. */
    readonly args?: readonly string[];
    /** More of the environment. */
    readonly env?: Readonly<Record<string, string>>;
    /** The network in which it runs with its engine; then the daemon chooses the subnet. */
    readonly namespace?: NetworkNamespace;
    /** What runs beside it, from before it starts until after it has ended. It is given the daemon's folder. */
    readonly beside?: (folder: string) => AsyncDisposable;
}
/**
 * Starts the built program `bin/tremplin daemon` with everything of its own: state, shared folder, bridge, subnet,
 * sockets, and a listener that hears its notices. Resolves when it has said that it is ready. Disposing ends
 * the daemon, its engine and its containers, and takes down all they left; so does the end of this process.
 */
export declare function startDaemon(options?: DaemonOptions): Promise<TestDaemon>;
interface Parts {
    readonly folder: string;
    readonly network: {
        readonly bridge: string;
        readonly subnet: string;
        readonly addressPrefix: string;
    };
    readonly listener: RecordingListener;
    readonly connection: Connection;
    readonly options: DaemonOptions;
    readonly stack: AsyncDisposableStack;
}
/** A daemon in a process of its own, with what a test needs to speak to it. */
export declare class TestDaemon implements AsyncDisposable {
    #private;
    /** Everything of this daemon is below it. */
    readonly folder: string;
    /** The folder that both sides see: tarballs to create from, exports, imports. */
    readonly shared: string;
    readonly bridge: string;
    /** The bridge's own address with its prefix length. */
    readonly subnet: string;
    /** How the addresses of its containers begin. */
    readonly addressPrefix: string;
    readonly listener: RecordingListener;
    readonly connection: Connection;
    readonly tremplin: Client<typeof Tremplin>;
    readonly guest: Client<typeof Guest>;
    constructor(parts: Parts);
    get pid(): number;
    get isRunning(): boolean;
    /** The exit code, or the signal that ended it. */
    get exited(): Promise<number | NodeJS.Signals>;
    /** Starts it, when it does not run, and waits until it has told the host that it is ready. */
    start(): Promise<void>;
    /** Starts it without waiting for anything. */
    launch(): Promise<void>;
    /** Kills the daemon alone, as a crash would; engine and containers go on. */
    kill(): Promise<void>;
    /** Asks the daemon to end, with SIGTERM unless told otherwise, and gives how it did. */
    stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
    /** Kills it, starts it again and waits until it is ready. */
    restart(): Promise<void>;
    /** All that it has written. */
    log(): Promise<string>;
    [Symbol.asyncDispose](): Promise<void>;
}
export {};

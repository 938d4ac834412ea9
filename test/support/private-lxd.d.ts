import { Engine, type EngineAddress } from "../../src/engine/engine.ts";
import type { EngineKind } from "../../src/engine/flavors/flavors.ts";
import { type FreeNetwork } from "./free-network.ts";
export interface PrivateLxdOptions {
    /** Driver of the pool `default`; `none` for an LXD as it is at its very first start. Default `dir`. */
    readonly pool?: "dir" | "btrfs" | "none";
}
/**
 * Starts an LXD of the test's own, with a pool and a profile to create containers with. Needs root. Disposing
 * ends it and its containers and takes down all they left; so does the end of this process.
 */
export declare function privateLxd({ pool }?: PrivateLxdOptions): Promise<PrivateLxd>;
export declare class PrivateLxd implements AsyncDisposable {
    #private;
    readonly kind: EngineKind;
    /** Its LXD_DIR. */
    readonly folder: string;
    readonly address: EngineAddress & {
        readonly kind: "unix";
    };
    /** Free to be made and used; there is no network to begin with. */
    readonly network: Pick<FreeNetwork, "bridge" | "subnet" | "addressPrefix">;
    constructor(folder: string, network: FreeNetwork, resources: AsyncDisposable);
    /** The daemon's process id, while it runs. */
    get pid(): number | undefined;
    /** A client of it, disposed by the caller. */
    connect(): Promise<Engine>;
    /** Starts the daemon and waits until it is ready. */
    start(): Promise<void>;
    /** Ends the daemon, by default so that its containers go on running, and waits until it has ended. */
    stop(signal?: NodeJS.Signals): Promise<void>;
    /** Runs the engine's own command line, without letting anything else of this program run meanwhile. */
    cliSync(...args: string[]): string;
    addPool(driver: "dir" | "btrfs"): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

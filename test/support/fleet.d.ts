export interface FleetPlace {
    readonly folder: string;
    readonly guests: number;
    /** Of the host's listener, on loopback. */
    readonly port: number;
}
/** A free port of the loopback. */
export declare function freePort(): Promise<number>;
/** Runs a host with many guests in this process, until SIGTERM. */
export declare function runFleetHost({ folder, guests, port }: FleetPlace): Promise<void>;
/** The process of a host, which can be killed and started again. `entry`: a file that calls runFleetHost when its arguments say so. */
export declare class FleetHost {
    #private;
    constructor(entry: string, place: FleetPlace);
    /** Bytes. */
    get residentMemory(): number;
    get pid(): number | undefined;
    killAndStart(): Promise<void>;
    end(signal: NodeJS.Signals): Promise<void>;
}
/** What the guests of a fleet have sent. */
export interface FleetResult {
    /** Acknowledged notices of each container, by `guest/container`. */
    readonly sent: ReadonlyMap<string, number>;
    /** How long each took that was acknowledged at its first try. Milliseconds. */
    readonly latencies: readonly number[];
}
/**
 * Serves all guests, and lets them send `rate` notices a second together until the end, and some each. `sent` is kept up to
 * date meanwhile.
 */
export declare function runFleet(place: FleetPlace, rate: number, signals: FleetSignals, sent?: Map<string, number>): Promise<FleetResult>;
interface FleetSignals {
    /** No notice is begun after it. */
    readonly end: AbortSignal;
    /** Nothing is sent again after it. */
    readonly abandon: AbortSignal;
}
/** Each container's notices in the order in which the host recorded them. Throws where the numbers have a gap. */
export declare function recordedBy(folder: string): Promise<Map<string, string[]>>;
export {};

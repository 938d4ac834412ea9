import type { SentRequest } from "./random-requests.ts";
import type { ContainerState, ObservedState } from "./random-state.ts";
import type { Actions } from "./random-user.ts";
/** A request that was under way, and how it ended. */
export interface Ended extends SentRequest {
    readonly isDone: boolean;
}
/** What lies between two states. */
export interface Between {
    readonly before: ObservedState;
    readonly after: ObservedState;
    /** What was under way at the first one. */
    readonly works: readonly Ended[];
    /** What a user did before the first one, since the daemon's death. */
    readonly acts: Actions;
    /** The names of the shared files that a user touched meanwhile. */
    readonly touched: ReadonlySet<string>;
    /** Whether nobody but a daemon that cleans up did anything since the first one. */
    readonly isCleanUp: boolean;
}
/** What of a user's was lost or changed, a sentence each. */
export declare function findLosses(between: Between): string[];
/** What of ours is there at the end although nothing is under way, a sentence each. */
export declare function findLeft({ containers, images, shared }: ObservedState, isSomebodys: (container: ContainerState) => boolean): string[];

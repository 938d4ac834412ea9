import type { TestDaemon } from "./daemon.ts";
import type { RandomSource } from "./random-source.ts";
import type { ContainerState } from "./random-state.ts";
/**
 * What a user did to a container. After a *going on* it is theirs as it is now; what they *set* in it stays; the
 * others say what it does at the moment. *Again* is what comes from a backup of the
 * engine's, *back* what comes from a snapshot of ours, with the mark that is in it.
 */
export type ActionKind = "go-on" | "again" | "back" | "set" | "write" | "state" | "gone";
/** The acts of a user by the container's uuid. */
export type Actions = Map<string, Set<ActionKind>>;
/** The source of containers that a user makes. */
export declare const BASE = "rs-base";
/** A user with the engine's own command line. */
export declare class RandomUser {
    #private;
    constructor(daemon: TestDaemon, random: RandomSource, { tell, round }: {
        readonly tell: (line: string) => void;
        readonly round: number;
    });
    /** Does something to a container, and notes it in `acts` if the engine did it. */
    act(on: ContainerState, acts: Actions): Promise<void>;
    /** Makes a container under a name that nothing has. */
    make(name: string): Promise<void>;
    editProfile(): Promise<void>;
    delete(name: string): Promise<void>;
    do(...words: string[]): Promise<void>;
}

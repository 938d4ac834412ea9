import type { TestDaemon } from "./daemon.ts";
import type { RandomSharedFolder } from "./random-shared-folder.ts";
import type { RandomSource } from "./random-source.ts";
import type { ContainerState } from "./random-state.ts";
export type RequestKind = "create" | "start" | "stop" | "delete" | "export" | "import" | "undo" | "keep";
/** A request that was sent. */
export interface SentRequest {
    readonly kind: RequestKind;
    readonly container: string;
    /** Of the container that had the name when it was sent. */
    readonly uuid: string | undefined;
    /** The name of the file that an export writes. */
    readonly target?: string;
    /** Of the operation; undefined where it was refused, or where nobody knows because the daemon died. */
    id: string | undefined;
    /** The daemon died before it answered. */
    isUnknown: boolean;
}
/** The backup that imports read. */
export declare const BACKUP = "backup.tar.gz";
/** Sends random requests about containers. */
export declare class RandomRequests {
    #private;
    constructor(daemon: TestDaemon, random: RandomSource, { shared, tell }: {
        readonly shared: RandomSharedFolder;
        readonly tell: (line: string) => void;
    });
    /** Decides on a request; `send` sends it. */
    plan(container: string, found: ContainerState | undefined): Promise<() => Promise<SentRequest>>;
    /** Cancels what can be cancelled. */
    cancel({ kind, container }: SentRequest): Promise<void>;
}

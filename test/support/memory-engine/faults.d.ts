/** A request that is held back until the test lets it go on. */
export interface HeldRequest {
    /** Resolves when the request has come, and its operation, if it starts one, is announced. */
    readonly reached: Promise<void>;
    /** Lets it go on. */
    release(): void;
    /** Makes it fail with these words instead. */
    fail(words: string): void;
    /** Changes the metadata of its operation: progress. */
    progress(metadata: Readonly<Record<string, unknown>>): void;
}
export interface HoldOptions {
    /** Whether the operation may be cancelled meanwhile. Default false. */
    readonly mayCancel?: boolean;
}
/** One request that fails, or waits for the test. */
export declare class Fault implements HeldRequest {
    #private;
    readonly method: string;
    readonly path: RegExp;
    readonly mayCancel: boolean;
    /** Whether the request itself is refused, with this status, and not only its operation fails. */
    readonly isRefused: boolean;
    readonly status: number;
    readonly reached: Promise<void>;
    constructor(method: string, path: RegExp, { mayCancel, isRefused, status }?: {
        isRefused?: boolean | undefined;
        mayCancel?: boolean | undefined;
        status?: number | undefined;
    });
    /** Resolves when the test has decided: the words of a failure, or undefined to go on. */
    get outcome(): Promise<string | undefined>;
    /** Called when the request is there; `progress` changes the metadata of its operation. */
    reach(progress?: (metadata: Readonly<Record<string, unknown>>) => void): void;
    release(): void;
    fail(words: string): void;
    progress(metadata: Readonly<Record<string, unknown>>): void;
}
/** The faults that wait for their requests; each is of one request, the oldest first. */
export declare class Faults {
    #private;
    add(fault: Fault): Fault;
    /** The fault of this request, which is used up by that. */
    take(method: string, path: string): Fault | undefined;
}

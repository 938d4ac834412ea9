import type { Outcome as Delivery } from "../../../src/daemon/notices/delivery.ts";
import type { Notice } from "../../../src/daemon/notices/notice.ts";
/** A message of the listener: the fields that most have, and others by name. */
export interface ReceivedMessage {
    readonly containerName: string;
    readonly status: number;
    readonly failureReason: string;
    readonly downloadProgress?: number;
    readonly progressMessages?: readonly string[];
    readonly [field: string]: unknown;
}
/** A host that records all notices, each once however often it is sent. */
export declare class RecordingListener {
    #private;
    /** Whether nobody answers. */
    isAway: boolean;
    deliver({ message }: Notice, id: string, operation: string | undefined): Delivery;
    progress(operation: string): ReceivedMessage[];
    finals(operation: string): ReceivedMessage[];
    /** Resolves with the end of an operation. */
    final(operation: string): Promise<ReceivedMessage>;
    /** Resolves with the first progress of an operation that is like this. */
    progressWith(operation: string, is: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage>;
}

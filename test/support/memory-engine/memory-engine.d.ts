import { Engine } from "../../../src/engine/engine.ts";
import { type Execute } from "./exec.ts";
import { type HeldRequest, type HoldOptions } from "./faults.ts";
import { Holdings } from "./holdings.ts";
import type { InstanceRecord } from "./instance-record.ts";
/** The two files of an image. */
export interface ImageBytes {
    readonly metadata: Buffer;
    readonly rootfs: Buffer;
}
/**
 * An engine whose containers are words in memory. It answers the REST API of LXD 5.0 on a unix socket, so the real
 * client works with it; test/support/engine-behaviour.ts holds it to what the real one does. Faults come on request.
 */
export declare class MemoryEngine implements AsyncDisposable {
    #private;
    readonly address: {
        readonly kind: "unix";
        readonly path: string;
    };
    /** All that it holds. A test may look at it and change it, as a person behind the daemon's back would. */
    readonly holdings: Holdings;
    private constructor();
    static open(): Promise<MemoryEngine>;
    /** A client of it, disposed by the caller. */
    connect(): Promise<Engine>;
    /** Decides what programs in its instances do. */
    set execute(execute: Execute);
    /** Puts an image in; gives its fingerprint. */
    addImage(bytes: ImageBytes): string;
    /** Gives the image servers an image. */
    addRemoteImage(alias: string, bytes: ImageBytes): void;
    /** An instance as it is held. Throws where there is none. */
    instance(name: string): InstanceRecord;
    /** The next such request fails with these words: its operation, where it starts one, unless `status` is given. */
    failNext(method: string, path: RegExp, words: string, { status }?: {
        readonly status?: number;
    }): void;
    /** The next such request is held back, with the operation that it starts, until the test lets it go on. */
    hold(method: string, path: RegExp, options?: HoldOptions): HeldRequest;
    /** It is gone at once: connections break, and what was under way is forgotten. Its containers go on running. */
    die(): Promise<void>;
    /** Answers again after it died. */
    revive(): Promise<void>;
    /** Resolves once it answers. */
    get alive(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

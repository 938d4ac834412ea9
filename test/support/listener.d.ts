import type { MessageShape } from "@bufbuild/protobuf";
import { TremplinListener } from "../../src/contract/tremplin_pb.js";
/** The listener's rpcs by the words that tests use. */
declare const methods: {
    readonly ready: "tremplinReady";
    readonly startLxd: "updateStartLxdStatus";
    readonly create: "updateCreateStatus";
    readonly delete: "updateDeletionStatus";
    readonly start: "updateStartStatus";
    readonly stop: "updateStopStatus";
    readonly export: "updateExportStatus";
    readonly import: "updateImportStatus";
    readonly shutdown: "containerShutdown";
    readonly ports: "updateListeningPorts";
    readonly upgrade: "upgradeContainerStatus";
};
export type NoticeKind = keyof typeof methods;
type MessageOf<K extends NoticeKind> = MessageShape<(typeof TremplinListener.method)[(typeof methods)[K]]["input"]>;
/** One notice as it came. */
export interface RecordedNotice<K extends NoticeKind = NoticeKind> {
    readonly kind: K;
    /** Empty for notices of no container. */
    readonly container: string;
    readonly final: boolean;
    readonly message: MessageOf<K>;
    /** The metadata of the call. */
    readonly headers: Headers;
}
/**
 * A host's side of the wire, independent of the project's own: answers every notice and records it, in the order
 * of its coming. It can be away, refuse, and take its time.
 */
export declare class RecordingListener implements AsyncDisposable {
    #private;
    /** Every notice that was answered well. */
    readonly notices: RecordedNotice[];
    /** Called before a notice is answered and recorded. What it throws is the answer. */
    answering: (notice: RecordedNotice) => void | Promise<void>;
    private constructor();
    /** Listens on a unix socket. */
    static open(path: string): Promise<RecordingListener>;
    reopen(): Promise<void>;
    /** The host goes away: its connections break and nobody listens. */
    goAway(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    /** The first notice, already there or to come, that is as wanted. Throws after the limit with all that came. */
    when(wanted: (notice: RecordedNotice) => boolean, what: string, limit?: number): Promise<RecordedNotice>;
    /**
     * The final notice of an operation. Each call gives the next one that no call gave before, so that starting a
     * container twice is two calls. A notice that is delivered again counts once.
     */
    final<K extends NoticeKind>(kind: K, container?: string, limit?: number): Promise<MessageOf<K>>;
    /** All messages of one kind and container, in order. */
    messages<K extends NoticeKind>(kind: K, container?: string): MessageOf<K>[];
}
export {};

/** A Unix socket that listens, as systemd makes it for a program: nothing in this process accepts its connections. */
export declare function listeningSocket(path: string): Disposable & {
    readonly fd: number;
};
/** What systemd is for a program that notifies it: a datagram socket at a path. */
export declare class NotifyReceiver implements AsyncDisposable {
    #private;
    readonly messages: string[];
    constructor(path: string);
    /** Resolves once as many messages of that text have come. */
    received(text: string, count?: number): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

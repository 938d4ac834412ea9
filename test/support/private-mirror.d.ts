export declare const PASSWORD = "s3cret-of-the-mirror";
/** A mirror of Debian that asks for a password, and that only this machine can reach. */
export declare class PrivateMirror implements AsyncDisposable {
    #private;
    static open(): Promise<PrivateMirror>;
    /** With the password. */
    get url(): string;
    [Symbol.asyncDispose](): Promise<void>;
}

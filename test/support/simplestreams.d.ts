export interface SimplestreamsOptions {
    /** What the image is asked for by: "debian/bookworm". */
    readonly alias: string;
    readonly metadataPath: string;
    readonly rootfsPath: string;
    /** Serves HTTPS with a certificate of its own, which the engine must be told to trust (SSL_CERT_FILE). */
    readonly tls?: boolean;
}
/** An image server of one image for both engines, on loopback (docs/engines.md#image-servers). */
export declare class Simplestreams implements AsyncDisposable {
    #private;
    readonly url: string;
    /** Path of the PEM certificate, with `tls`. */
    readonly certificatePath: string;
    /** Every path that was asked for. */
    readonly asked: string[];
    /** How fast the root filesystem is sent; it can be changed while it is. */
    bytesPerSecond: number;
    private constructor();
    static open(options: SimplestreamsOptions): Promise<Simplestreams>;
    /** Resolves when the first bytes of the root filesystem have been sent. */
    get begun(): Promise<void>;
    /** Sends nothing more, and leaves the connections open. */
    stall(): void;
    /** Goes on after a stall. */
    goOn(): void;
    /** Breaks all connections, in the middle of whatever they send. Later requests are served. */
    cut(): void;
    [Symbol.asyncDispose](): Promise<void>;
}

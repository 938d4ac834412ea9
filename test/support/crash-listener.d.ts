/** The host's crash listener on a socket: which programs it was told of. */
export declare function crashListener(path: string): Promise<{
    failed: string[];
    [Symbol.asyncDispose]: () => PromiseLike<void>;
}>;

/** A network of its own for a daemon and its engine: interfaces, routes, firewall and ports. */
export interface NetworkNamespace extends AsyncDisposable {
    /** The words before those of a program that runs in it. */
    readonly prefix: readonly string[];
    /** Runs a shell script in it; gives its output. */
    run(script: string): Promise<string>;
}
/** Makes one with what a shell script sets up in it. It ends with this process, and when it is disposed. */
export declare function networkNamespace(script: string): Promise<NetworkNamespace>;

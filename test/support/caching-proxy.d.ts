/**
 * A proxy for apt that keeps the packages it has fetched in a folder, so that a second run downloads none. A package
 * never changes under its name; all else is fetched each time.
 */
export declare class CachingProxy implements AsyncDisposable {
    #private;
    /** How many packages were fetched from a mirror. */
    fetched: number;
    private constructor();
    /** `name` must lead to the address wherever the proxy is used. */
    static open(folder: string, { address, name }: {
        address: string;
        name: string;
    }): Promise<CachingProxy>;
    get url(): string;
    [Symbol.asyncDispose](): Promise<void>;
}

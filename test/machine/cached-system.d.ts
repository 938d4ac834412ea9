/** The folder of a built system, cached across runs. */
export declare function cachedSystem(): Promise<string>;

/**
 * For what tells nobody when it comes: looks until it is there and gives it. Throws after the limit in
 * milliseconds. What announces itself is waited for by its announcement instead.
 */
export declare function eventually<T>(what: string, look: () => Promise<T | undefined>, limit?: number): Promise<T>;

/**
 * A name server on port 53 of a loopback address. It knows the names given, and says of all others that there is
 * no such name, to be remembered for an hour as a real one does.
 */
export declare function nameServer(address: string, names: Readonly<Record<string, string>>): Promise<AsyncDisposable>;

/** A bridge name and an IPv4 subnet that are nobody else's until this is disposed. Neither is made here. */
export interface FreeNetwork extends AsyncDisposable {
    /** At most 15 characters, as the kernel wants it. */
    readonly bridge: string;
    /** The bridge's own address with its prefix length: 10.213.7.1/24. */
    readonly subnet: string;
    /** How each address in the subnet begins: "10.213.7." */
    readonly addressPrefix: string;
}
/** Finds a network that no interface and no route of this machine uses, and no other test that runs now. */
export declare function freeNetwork(): Promise<FreeNetwork>;

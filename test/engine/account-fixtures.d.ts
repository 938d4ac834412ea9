/** The accounts and files of a container before SetUpUser is called for anna. */
export interface AccountCase {
    readonly title: string;
    /** Whether it is also tested with a stopped container. Default: only with a running one. */
    readonly stopped?: true;
    /** Lines added to the account files. */
    readonly passwd?: readonly string[];
    readonly group?: readonly string[];
    readonly shadow?: readonly string[];
    readonly gshadow?: readonly string[];
    /** Runs in the container before the call. */
    readonly plant?: string;
    /** The requested name. Default: anna. */
    readonly wanted?: string;
    /** The name in the response. Default: anna. */
    readonly username?: string;
    /** The reason of the failure, after which nothing may have changed. */
    readonly reason?: RegExp;
    /** A script that runs in the container after the call, and its output. */
    readonly look?: string;
    readonly there?: RegExp;
}
export declare const accountCases: readonly AccountCase[];

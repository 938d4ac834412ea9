/** A tiny package. */
export interface FakePackage {
    readonly name: string;
    readonly version: string;
    /** More fields of its control file. */
    readonly fields?: Readonly<Record<string, string>>;
    /** Its files by path; those below etc/ are its configuration files. */
    readonly files?: Readonly<Record<string, string>>;
    /** Its maintainer scripts: postinst, preinst ... */
    readonly scripts?: Readonly<Record<string, string>>;
    /** The size of a file of zeros, which compresses to nothing. MiB. */
    readonly bulk?: number;
}
/** Builds a package. Returns the path of its archive. */
export declare function buildPackage(folder: string, fake: FakePackage): Promise<string>;
/** A key to sign releases with. */
export interface SigningKey {
    readonly home: string;
    /** The public key for apt, in binary form. */
    readonly keyring: string;
}
/** Creates a key with a validity in gpg's notation ("1y", "seconds=2"), starting `at` (as `faked-system-time`). */
export declare function signingKey(folder: string, expires?: string, at?: string): Promise<SigningKey>;
/** A suite of the repository. */
export interface FakeSuite {
    readonly suite: string;
    readonly packages: readonly FakePackage[];
    /** Who publishes it. Default: Debian. */
    readonly origin?: string;
    /** Signed by this key in place of the repository's. */
    readonly key?: SigningKey;
}
export interface RepositoryTimes {
    /** The date of its releases. Default: an hour ago. */
    readonly made?: Date;
    /** The date of the signatures. Default: now. */
    readonly signed?: string;
    /** When its releases expire. Default: never. */
    readonly validUntil?: Date;
}
/** Writes an apt repository with signed suites. */
export declare function writeRepository(folder: string, key: SigningKey, suites: readonly FakeSuite[], times?: RepositoryTimes): Promise<void>;
/** Serves a folder on an address of this machine, under a name, as a mirror does. */
export declare class Mirror implements AsyncDisposable {
    #private;
    /** Called before each response; false breaks the connection, as if the mirror had disappeared. */
    answers: (path: string) => boolean | Promise<boolean>;
    private constructor();
    /** `name` must lead to the address wherever the mirror is used. */
    static open(folder: string, { address, name }: {
        address: string;
        name: string;
    }): Promise<Mirror>;
    get url(): string;
    [Symbol.asyncDispose](): Promise<void>;
}

/** A raw archive member, also one that no program would write. */
export interface RawMember {
    readonly name: string;
    /** The type flag: "0" file (default), "1" hard link, "2" symbolic link, "3" and "4" devices, "5" folder, "6" pipe. */
    readonly type?: string;
    readonly link?: string;
    readonly content?: string | Buffer;
    /** Major and minor number. */
    readonly device?: readonly [number, number];
    /** Overrides the size of the content. */
    readonly size?: number;
}
/** An archive of these members (POSIX.1-1988), with its end mark. */
export declare function tarBytes(members: readonly RawMember[]): Buffer;

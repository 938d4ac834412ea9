/** A file of a person with a hard link to it, as a rotation by `cp -al` makes. */
export interface HardLinkedFile {
    /** Throws unless both are as they were: the same file, with the same content, owner, mode and times. */
    assertUntouched(): Promise<void>;
}
export declare function hardLinkedFile(path: string, content?: string): Promise<HardLinkedFile>;

/** A file, folder or link. */
export interface FileNode {
    readonly type: "file" | "directory" | "symlink";
    /** Of a link: where it leads. */
    readonly content: Buffer;
    readonly uid: number;
    readonly gid: number;
    readonly mode: number;
}
/** The files of an instance, by their absolute paths. Folders come into being with what is in them. */
export declare class FileTree {
    #private;
    constructor(files?: Readonly<Record<string, string>>);
    /** The same files again, that change on their own. */
    copy(): FileTree;
    get(path: string): FileNode | undefined;
    set(path: string, node: FileNode): void;
    delete(path: string): void;
    /** The names in a folder. */
    names(path: string): string[];
    /** Writes a text file of root, and the folders on the way to it. */
    write(path: string, text: string): void;
    /** As get(), links followed. */
    behindLinks(path: string): FileNode | undefined;
    makeFolder(path: string): void;
    /** Makes a link at `path` that leads to `target`. */
    link(path: string, target: string): void;
    /** In the place of what has the new name, with all that is below it. False where there is nothing at `path`. */
    rename(path: string, newPath: string): boolean;
    /** All plain files with their texts. */
    texts(): [path: string, text: string][];
    /** The text of a file; undefined where there is none. */
    read(path: string): string | undefined;
}

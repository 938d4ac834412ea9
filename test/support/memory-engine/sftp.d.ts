import type { Duplex } from "node:stream";
import type { FileTree } from "./file-tree.ts";
/** Serves the files of one instance over SFTP (version 3), as far as a file session asks for it. */
export declare class SftpServer {
    #private;
    private constructor();
    /** Answers what comes over the stream, and behind what came already. */
    static serve(tree: FileTree, stream: Duplex, head: Buffer): void;
}

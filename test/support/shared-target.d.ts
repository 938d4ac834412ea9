import { type SharedTarget } from "../../src/daemon/operations/export/shared-target.ts";
import type { TargetContext } from "../../src/daemon/operations/export/target-steps.ts";
/** What the compressor has written when its work is half done. */
export declare const HALF: Buffer<ArrayBuffer>;
/** A whole backup, read as UTF-8. */
export declare const WHOLE = "\u001F\uFFFD\b\0end";
/** The context of an export, with a journal in memory. */
export declare function exportContext(id?: string): TargetContext;
/** A shared folder of its own for each test of a file. */
export declare class TestSharedFolder {
    path: string;
    constructor();
    at(name: string): string;
    read(name: string): Promise<string>;
    /** Writes a backup to its end, unless `meanwhile` or the publication throws. */
    write(path: string, meanwhile?: (target: SharedTarget) => Promise<unknown>, context?: TargetContext): Promise<string | undefined>;
    /** Writes half of a backup and leaves it as a kill does. */
    writeHalf(path: string, context: TargetContext): Promise<void>;
    recover(context: TargetContext): Promise<string | undefined>;
    assertFails(writing: Promise<unknown>, reason: RegExp, context: TargetContext): Promise<void>;
}
export declare function replaceBy(path: string, content: string): Promise<void>;

/** Which run of the tests this is: given by scripts/test, else the process itself. Base 36, at most 6 letters. */
export declare const testRun: string;
/** All folders of a run begin with it, so that whatever a run leaves behind can be told by its paths. */
export declare function folderPrefix(run?: string): string;
/** All bridges of a run begin with it. */
export declare function bridgePrefix(run?: string): string;
/** A new empty folder of this run; whoever makes it removes it. */
export declare function testFolder(): Promise<string>;

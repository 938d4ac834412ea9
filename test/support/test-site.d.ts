/** The users of crostini and its package list, and names that are resolved as a file of the test says. */
export declare function writeSite(folder: string): Promise<string>;

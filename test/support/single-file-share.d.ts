/**
 * Makes files in a folder that lets nobody make or rename any, as where a host shares single files: the folder is
 * mounted read-only, each file over itself for writing. Disposing takes the mounts away.
 */
export declare function shareSingleFiles(folder: string, files: Readonly<Record<string, string>>): Promise<AsyncDisposable>;

/** Mounts a file system of so many bytes, in a file beside it, at a folder that is made. Disposing unmounts it. */
export declare function smallDisk(folder: string, bytes: number): Promise<AsyncDisposable>;

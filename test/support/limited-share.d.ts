/**
 * A shared folder on a file system that can do little, as those of networks and of virtual machines (FUSE, in memory):
 * nothing can be synced, there are no hard links, owners and modes cannot be changed, and files have a largest size. It
 * is served by this process, which must use it only by asynchronous calls. Disposing unmounts it.
 */
export declare function limitedShare(folder: string, maxFileBytes?: number): Promise<AsyncDisposable>;

/** What statfs calls the type of a btrfs file system. */
export const BTRFS_MAGIC = 0x9123683e;
/** The inode of the root of each btrfs subvolume. */
export const SUBVOLUME_INODE = 256;

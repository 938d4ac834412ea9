/** The folder of the guest's kernel, initramfs and disk: `vmlinuz`, `initrd.gz`, `root.img`. */
export declare function guestDisk(): Promise<string>;

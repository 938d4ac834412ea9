/**
 * Prints how long an export takes, compared with the same files through the same pipeline by hand, through `gzip -6`,
 * and by the engine's own commands, alternating in one run. Each reads a fresh snapshot, of which nothing is in
 * memory. Needs root and LXD.
 */
export declare function benchExport(): Promise<void>;

/**
 * Prints how long an import takes relative to the engine's own command line and to bare unpacking into a
 * container, without any check, alternating, and how much memory the daemon takes meanwhile. Needs root and LXD.
 */
export declare function benchImport(): Promise<void>;

/** Prints the bytes a second through a forward and over the bridge, and the time from listen to the host's port. */
export declare function benchForwards(): Promise<void>;

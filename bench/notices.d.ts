/** Measures how the host takes the notices of a fleet, and prints one table. */
export declare function benchNotices(): Promise<void>;

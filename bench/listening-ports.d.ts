/**
 * Prints how long after a command in a container the host is notified of a port that was opened or closed, and the
 * part of one core that the whole daemon takes with 20 idle containers, and with 100 changes a second in one
 * of them. Needs root and LXD.
 */
export declare function benchListeningPorts(): Promise<void>;

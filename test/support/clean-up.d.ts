/** What one daemon of a test had. Everything that names the folder in its paths is the test's own. */
export interface DaemonResources {
    readonly folder: string;
    readonly bridge?: string;
}
/**
 * Takes down whatever a daemon, its engine and its containers may have left, in any state of any of them, and
 * removes the folder. Nobody needs to be alive for it. Throws with what would not go.
 */
export declare function cleanUp({ folder, bridge }: DaemonResources): Promise<void>;
/** What a test may call one more bridge of an engine. */
export declare function secondBridge(bridge: string): string;

import type { DaemonResources } from "./clean-up.ts";
/** A folder that is removed when this is disposed, and when this process is killed. */
export interface KeptFolder extends AsyncDisposable {
    readonly path: string;
}
/** Makes an empty folder of this run. */
export declare function keptFolder(): Promise<KeptFolder>;
/**
 * Sees to it that what belongs to a test is taken down: when this is disposed, and also when this process is
 * killed. Disposing throws with what would not go.
 */
export declare function keep({ folder, bridge }: DaemonResources): AsyncDisposable;

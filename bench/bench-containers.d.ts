import { type TestDaemon } from "../test/support/daemon.ts";
/** Containers to back up and restore: plain Debian, and one after long use. Both are stopped. */
export interface BenchContainers extends AsyncDisposable {
    readonly daemon: TestDaemon;
    readonly containers: readonly string[];
}
export declare function benchContainers(): Promise<BenchContainers>;

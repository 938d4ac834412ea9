import { type Logger } from "../../src/base/logger.ts";
import { FinalNotices } from "../../src/daemon/notices/final-notices.ts";
import { Journal } from "../../src/daemon/notices/journal.ts";
import { type Notice } from "../../src/daemon/notices/notice.ts";
import { RejectedNotices } from "../../src/daemon/notices/rejected-notices.ts";
import { Runner } from "../../src/daemon/operations/runner/runner.ts";
import { ManualClock } from "./manual-clock.ts";
interface TestRunnerOptions {
    /** The state folder. */
    readonly folder: string;
    /** What the host does with a notice: acknowledges it, or false: is unreachable. */
    readonly host: (notice: Notice, id: string) => boolean;
    readonly engineAnswers?: () => boolean;
    readonly log?: Logger;
}
/** A runner without kinds, in a state folder, and all that it needs for its notices. Dispose it before the next one. */
export declare function testRunner({ folder, host, engineAnswers, log, }: TestRunnerOptions): Promise<{
    runner: Runner;
    finals: FinalNotices;
    rejected: RejectedNotices;
    clock: ManualClock;
    journal: Journal;
    [Symbol.asyncDispose](): Promise<void>;
}>;
export {};

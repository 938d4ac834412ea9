import type { TestEvent } from "node:test/reporters";
/** One test that ran in the guest. */
export interface GuestTest {
    readonly name: string;
    readonly file: string;
    /** How deep it is nested; 0 at the top of a file. */
    readonly nesting: number;
    readonly passed: boolean;
    readonly skipped: boolean;
    /** The error with its stack. */
    readonly error?: string;
}
/** A reporter of node's test runner: one line of JSON for each test that ended. */
export default function report(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void, void>;

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
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void, void> {
  for await (const event of events) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, file = "", nesting, skip } = event.data;
    const error = event.type === "test:fail" ? event.data.details.error : undefined;
    const cause = error?.cause ?? error;
    const told: GuestTest = {
      name,
      file,
      nesting,
      passed: event.type === "test:pass",
      skipped: skip !== undefined && skip !== false,
      ...(cause !== undefined && {
        error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      }),
    };
    yield `${JSON.stringify(told)}\n`;
  }
}

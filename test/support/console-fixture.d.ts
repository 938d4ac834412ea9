import { type IncomingHttpHeaders } from "node:http";
import type { TestContext } from "node:test";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock } from "../../src/base/async/clock.ts";
import { PAGE_KEY } from "../../src/base/page-key.ts";
import { type RunningConsole } from "../../src/host/console/serve-console.ts";
export interface Answer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly body: Buffer;
}
/** A console with two small files, and an HTTP client that sends what it is given. */
export interface ConsoleFixture {
    readonly console: RunningConsole;
    /** Serves the console again, as a host that was started again would. `meanwhile`: gets its state folder. */
    restart(meanwhile?: (state: string) => Promise<void>): Promise<void>;
    ask(path: string, options?: {
        method?: string;
        headers?: Record<string, string>;
        body?: string;
    }): Promise<Answer>;
    /** Signs in, and returns the headers that show it: the cookie and the key of the page. */
    signIn(): Promise<{
        readonly cookie: string;
        readonly [PAGE_KEY]: string;
    }>;
}
export declare function consoleFixture(t: TestContext, { routes, clock, }?: {
    routes?: (router: ConnectRouter) => void;
    clock?: Clock;
}): Promise<ConsoleFixture>;
/** The key that a page brings to the browser. */
export declare function pageKeyIn(page: Buffer): string;
/** Writes files as scripts/build-console.mjs does. */
export declare function writeConsoleFiles(folder: string, contents: Readonly<Record<string, string>>): Promise<void>;

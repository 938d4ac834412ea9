import type { TestContext } from "node:test";
import { type Browser, type Page } from "playwright-core";
import { MemoryGuest } from "./memory-guest.ts";
/** Debian's Chromium. Its sandbox does not work for root. */
export declare function launchBrowser(): Promise<Browser>;
/** A real host with a guest in memory, and a browser that is signed in to its console. */
export declare class ConsoleBrowser {
    #private;
    readonly page: Page;
    readonly guest: MemoryGuest;
    readonly url: string;
    /** What the page logged as an error, and each request that went to another place than the console. */
    readonly complaints: string[];
    /** Of the sockets: `vm.sock` is the guest. */
    readonly folder: string;
    private constructor();
    static open(t: TestContext, browser: Browser, options?: Parameters<Browser["newContext"]>[0]): Promise<ConsoleBrowser>;
    startHost(): Promise<void>;
    /** Cuts all its connections off, as a kill does. */
    stopHost(): Promise<void>;
    signInUrl(): Promise<string>;
    /** Opens the console and waits until it shows the state of now. */
    signIn(): Promise<void>;
    /** Goes to one of the pages: `#/history`. */
    show(hash: string): Promise<void>;
}

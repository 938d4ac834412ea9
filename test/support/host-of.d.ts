import { type Logger } from "../../src/base/logger.ts";
import type { HostOptions } from "../../src/host/options.ts";
import type { Address } from "../../src/transport/address.ts";
import type { TestDaemon } from "./daemon.ts";
import type { RecordedNotice } from "./listener.ts";
/** The project's own host side for a daemon whose notices a recording listener hears first. */
export interface HostOf extends AsyncDisposable {
    readonly address: Address;
    /** Hands a notice on as its daemon sent it. */
    forward(notice: RecordedNotice): Promise<void>;
}
export declare function hostOf(daemon: TestDaemon, { console, log }?: Pick<HostOptions, "console"> & {
    readonly log?: Logger;
}): Promise<HostOf>;

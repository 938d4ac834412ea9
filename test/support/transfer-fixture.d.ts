import { type ClientRequest, type IncomingMessage } from "node:http";
import type { TestContext } from "node:test";
import { type Client } from "@connectrpc/connect";
import { Host, BackupTransfer_Phase as Phase } from "../../src/contract/tremplin/v1/host_pb.js";
import { BackupTransfers } from "../../src/host/console/transfers/backup-transfers.ts";
import { MemoryGuest } from "./memory-guest.ts";
/** The transfers of a host with a guest in memory, and an HTTP client in place of a browser. */
export interface TransferFixture {
    readonly guest: MemoryGuest;
    readonly host: Client<typeof Host>;
    readonly transfers: BackupTransfers;
    /** Requests a URL of a transfer; undefined where it is not accepted. */
    ask(urlPath: string, method?: string): {
        request: ClientRequest;
        response: Promise<IncomingMessage>;
    };
    /** The names of the files that the guest keeps of transfers. */
    kept(): Promise<string[]>;
}
export declare function transferFixture(t: TestContext): Promise<TransferFixture>;
/** The next state in a phase. */
export declare function until<S extends {
    readonly phase: Phase;
}>(states: AsyncIterator<S>, phase: Phase): Promise<S>;

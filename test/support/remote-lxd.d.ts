import type { EngineAddress } from "../../src/engine/engine.ts";
import type { PrivateLxd } from "./private-lxd.ts";
/** Lets an engine answer over HTTPS to one client that it trusts: its address, with that client's key. */
export declare function openRemotely(lxd: PrivateLxd): Promise<EngineAddress & {
    kind: "https";
}>;
/** A client's certificate and key, which lie in the folder as NAME.crt and NAME.key too. */
export declare function certificate(folder: string, name: string): Promise<{
    cert: string;
    key: string;
}>;
export declare function freePort(): Promise<number>;

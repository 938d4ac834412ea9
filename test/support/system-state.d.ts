import { execFile } from "node:child_process";
export declare const execute: typeof execFile.__promisify__;
export interface Process {
    readonly pid: number;
    readonly parent: number;
    readonly command: string;
}
/** Living processes whose command line or environment has the text. Not the caller, and no zombie. */
export declare function processesWith(text: string): Promise<Process[]>;
export declare function childrenOf(pid: number): Promise<number[]>;
/** Mount points whose path or source begins with the text, the newest first: the order to unmount them in. */
export declare function mountsUnder(text: string): Promise<string[]>;
/** Loop devices, /dev/loopN, whose file's path begins with the text. */
export declare function loopDevicesOf(text: string): Promise<string[]>;
/** Network interfaces whose name begins with the text. */
export declare function interfacesLike(text: string): Promise<string[]>;
/** Interfaces that are plugged into a bridge. */
export declare function portsOf(bridge: string): Promise<string[]>;
export interface Chain {
    readonly family: string;
    readonly table: string;
    readonly name: string;
}
/** Firewall chains that an engine made for a bridge whose name begins with the text. */
export declare function chainsOf(bridge: string): Promise<Chain[]>;

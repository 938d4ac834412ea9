import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Holdings } from "./holdings.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { type Route } from "./rest.ts";
/** A command that runs in an instance. */
export interface Command {
    readonly instance: InstanceRecord;
    readonly command: readonly string[];
    /** Aborts when it is killed. */
    readonly killed: AbortSignal;
}
/** The outcome of a command. Default: exit code 0, no output. */
export interface Executed {
    readonly exitCode?: number;
    readonly stdout?: string;
    readonly stderr?: string;
}
/** Runs the commands of a test. */
export type Execute = (command: Command) => Executed | undefined | Promise<Executed | undefined>;
/** Programs in instances, whose outcome a test decides. */
export declare class MemoryExec {
    #private;
    /** Default: there is no such program. */
    execute: Execute;
    routes(held: Holdings): Route[];
    /** Takes the connection of one stream of a command; false for a secret that nobody waits for. */
    accept(secret: string, request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

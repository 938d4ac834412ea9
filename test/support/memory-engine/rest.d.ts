import type { MemoryOperation } from "./operations.ts";
/** A request as a route gets it. */
export interface RestRequest {
    /** The parts of the path that the route names. */
    readonly params: Readonly<Record<string, string>>;
    readonly query: URLSearchParams;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly body: Buffer;
}
/** Thrown by a route: answered as an error of the API. */
export declare class Refusal extends Error {
    readonly status: number;
    constructor(status: number, words: string);
}
/** Answered at once. */
export interface Reply {
    readonly metadata?: unknown;
    /** The ETag is the hash of this; without it there is none. */
    readonly version?: unknown;
    /** Sent as it is, in place of JSON. */
    readonly raw?: Buffer;
}
/** Accepted, and done in the background. */
export interface Work {
    readonly description: string;
    readonly resources?: Readonly<Record<string, readonly string[]>> | null;
    readonly class?: "task" | "websocket";
    readonly metadata?: Readonly<Record<string, unknown>>;
    /** The operation fails with the error that this throws. */
    readonly run: (operation: MemoryOperation) => void | Promise<void>;
}
interface RouteBase {
    readonly method: string;
    /** Parts of the form `:name` match anything but a slash. */
    readonly path: string;
}
export type Route = RouteBase & ({
    readonly kind: "reply";
    readonly handle: (request: RestRequest) => Reply | Promise<Reply>;
} | {
    readonly kind: "work";
    readonly handle: (request: RestRequest) => Work;
});
/** A route that answers at once. */
export declare function reply(method: string, path: string, handle: (request: RestRequest) => Reply | Promise<Reply>): Route;
/** A route that answers with an operation; what `handle` throws is refused before that begins. */
export declare function work(method: string, path: string, handle: (request: RestRequest) => Work): Route;
/** The parts of the path that a route names; undefined where it is not the route of the path. */
export declare function matchRoute({ path }: Route, pathname: string): Record<string, string> | undefined;
export declare function jsonBody<T>({ body }: RestRequest): T;
export declare function etagOf(version: unknown): string;
/** Throws where the request names another version than the one that is there. */
export declare function checkVersion({ headers }: RestRequest, version: unknown): void;
/** The operation resources of an instance, under both names that LXD has for it. */
export declare function instanceResources(...names: readonly string[]): Record<string, string[]>;
export {};

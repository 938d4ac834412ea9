import { createHash } from "node:crypto";
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
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, words: string) {
    super(words);
    this.status = status;
  }
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

export type Route = RouteBase &
  (
    | { readonly kind: "reply"; readonly handle: (request: RestRequest) => Reply | Promise<Reply> }
    | { readonly kind: "work"; readonly handle: (request: RestRequest) => Work }
  );

/** A route that answers at once. */
export function reply(
  method: string,
  path: string,
  handle: (request: RestRequest) => Reply | Promise<Reply>,
): Route {
  return { kind: "reply", method, path, handle };
}

/** A route that answers with an operation; what `handle` throws is refused before that begins. */
export function work(method: string, path: string, handle: (request: RestRequest) => Work): Route {
  return { kind: "work", method, path, handle };
}

/** The parts of the path that a route names; undefined where it is not the route of the path. */
export function matchRoute({ path }: Route, pathname: string): Record<string, string> | undefined {
  const wanted = path.split("/");
  const given = pathname.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decodeURIComponent(given[index] ?? "");
    if (part.startsWith(":")) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}

export function jsonBody<T>({ body }: RestRequest): T {
  return JSON.parse(body.toString() || "{}") as T;
}

export function etagOf(version: unknown): string {
  return createHash("sha256").update(JSON.stringify(version)).digest("hex");
}

/** Throws where the request names another version than the one that is there. */
export function checkVersion({ headers }: RestRequest, version: unknown): void {
  const wanted = String(headers["if-match"] ?? "").replaceAll('"', "");
  const etag = etagOf(version);
  if (wanted !== "" && wanted !== etag) throw new Refusal(412, `ETag doesn't match: ${etag} vs ${wanted}`);
}

/** The operation resources of an instance, under both names that LXD has for it. */
export function instanceResources(...names: readonly string[]): Record<string, string[]> {
  return {
    containers: names.map((name) => `/1.0/containers/${name}`),
    instances: names.map((name) => `/1.0/instances/${name}`),
  };
}

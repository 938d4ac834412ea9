import { TremplinError } from "../../base/tremplin-error.ts";
import { type ProjectOptions, projectQuery } from "./call-options.ts";
import type { EngineHttp } from "./engine-http.ts";

/** An object of the engine with the etag of the version that was read. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

const MAX_ATTEMPTS = 5;

export async function getVersioned<T>(
  http: EngineHttp,
  path: string,
  options: ProjectOptions,
): Promise<Versioned<T>> {
  const query = projectQuery(options);
  const { metadata, etag } = await http.call<T>({ method: "GET", path, query, signal: options.signal });
  return { value: metadata, etag };
}

/**
 * Reads, changes and writes with If-Match; repeats all of it when another client wrote in between. Throws `conflict`
 * or `busy` after five attempts.
 */
export async function changeVersioned<T>(
  read: () => Promise<Versioned<T>>,
  change: (value: T) => T,
  write: (value: T, headers: { "if-match": string }) => Promise<unknown>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { value, etag } = await read();
    try {
      await write(change(value), { "if-match": etag });
      return;
    } catch (error) {
      if (tries === MAX_ATTEMPTS || !isContended(error)) throw error;
    }
  }
}

function isContended(error: unknown): boolean {
  return error instanceof TremplinError && (error.code === "conflict" || error.code === "busy");
}

import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineHttp } from "./engine-http.ts";
import { type ProjectOptions, projectQuery } from "./options.ts";

/** An object of the engine with the etag of what was read. */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

/** How often a change is applied anew because somebody else changed the object in between. */
const mostTries = 5;

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
 * Reads, changes and writes with If-Match; from the reading on again when somebody else wrote in between, or
 * writes just now. Throws `conflict` or `busy` if that went on and on.
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
      if (tries === mostTries || !isContended(error)) throw error;
    }
  }
}

function isContended(error: unknown): boolean {
  return error instanceof TremplinError && (error.code === "conflict" || error.code === "busy");
}

import { TremplinError } from "../../base/tremplin-error.ts";

/** For catch: turns `not-found` (the engine's 404, and nothing else) into undefined. */
export function ifMissing(error: unknown): undefined {
  if (error instanceof TremplinError && error.code === "not-found") return undefined;
  throw error;
}

import { TremplinError } from "../../base/tremplin-error.ts";

/** For catch: what the engine does not have (its 404, and nothing else) becomes undefined. */
export function ifMissing(error: unknown): undefined {
  if (error instanceof TremplinError && error.code === "not-found") return undefined;
  throw error;
}

import { TremplinError } from "../../base/tremplin-error.ts";

/** A path of the engine's API from its parts, each escaped. Throws `invalid` for a part that could climb. */
export function apiPath(...parts: readonly string[]): string {
  for (const part of parts) {
    if (part === "" || part === "." || part === "..") {
      throw new TremplinError("invalid", `"${part}" cannot be a name in the engine`);
    }
  }
  return `/1.0/${parts.map(encodeURIComponent).join("/")}`;
}

import { TremplinError } from "../../base/tremplin-error.ts";

/** Builds a path of the engine's API from parts, each escaped. Throws `invalid` for an empty part, `.` and `..`. */
export function apiPath(...parts: readonly string[]): string {
  for (const part of parts) {
    if (part === "" || part === "." || part === "..") {
      throw new TremplinError("invalid", `"${part}" cannot be a name in the engine`);
    }
  }
  return `/1.0/${parts.map(encodeURIComponent).join("/")}`;
}

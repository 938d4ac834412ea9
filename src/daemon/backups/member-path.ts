import { TremplinError } from "../../base/tremplin-error.ts";
import { legible } from "../guest/lossless-text.ts";

/**
 * The components of a path in an archive, without empty ones and `.`. Throws `invalid` for an absolute path and
 * for one that climbs.
 */
export function memberPath(name: string): string[] {
  const components = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || components.includes("..")) {
    throw new TremplinError("invalid", `the backup names ${shown(name)}, which leads out of the container`);
  }
  return components;
}

/** A name of an archive for people: quoted, on one line, not longer than a line. */
export function shown(name: string): string {
  return JSON.stringify(legible(name.length > 200 ? `${name.slice(0, 200)}...` : name));
}

import { TremplinError } from "../../base/tremplin-error.ts";

/** Where files come from or go to: a path of this computer, or of a container. */
export type Place =
  | { readonly kind: "own"; readonly path: string; readonly text: string }
  | { readonly kind: "container"; readonly container: string; readonly path: string; readonly text: string };

/** As in scp, what has a colon before its first slash is in a container; `./a:b` is a file of this computer. */
export function parsePlace(text: string): Place {
  if (text === "") throw new TremplinError("invalid", "a path is empty; the folder here is .");
  if (text.includes("\0")) throw new TremplinError("invalid", "a path has a zero byte");
  const [, container, path] = /^([a-zA-Z][a-zA-Z0-9-]{0,62}):(.*)$/s.exec(text) ?? [];
  if (container === undefined || path === undefined) return { kind: "own", path: text, text };
  return { kind: "container", container, path, text };
}

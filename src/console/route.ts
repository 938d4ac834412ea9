import { useEffect, useState } from "preact/hooks";

/** What the page shows, as the part of the URL after # says it. */
export type Route =
  | { readonly page: "overview" }
  | { readonly page: "history" }
  | { readonly page: "create"; readonly guest: string }
  | { readonly page: "restore"; readonly guest: string }
  | { readonly page: "container"; readonly guest: string; readonly name: string }
  | { readonly page: "unknown" };

export function parseRoute(hash: string): Route {
  const [page = "", guest, name, ...rest] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  if (rest.length > 0) return { page: "unknown" };
  if (page === "" && guest === undefined) return { page: "overview" };
  if (page === "history" && guest === undefined) return { page };
  if ((page === "create" || page === "restore") && guest && name === undefined) return { page, guest };
  if (page === "container" && guest && name) return { page, guest, name };
  return { page: "unknown" };
}

/** The link to a page. */
export function linkTo(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** What the page shows now. */
export function useRoute(): Route {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const read = (): void => set(location.hash);
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return parseRoute(hash);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

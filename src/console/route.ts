import { useEffect, useState } from "preact/hooks";

/** What the page shows, as the part of the URL after # says it. */
export type Route =
  | { readonly page: "overview" }
  | { readonly page: "history" }
  | { readonly page: "guests" }
  | { readonly page: "add-guest" }
  | { readonly page: "guest"; readonly guest: string }
  | { readonly page: "debug"; readonly guest: string }
  | { readonly page: "log"; readonly guest: string; readonly name: string }
  | { readonly page: "terminal"; readonly guest: string; readonly name: string }
  | { readonly page: "create"; readonly guest: string }
  | { readonly page: "restore"; readonly guest: string }
  | { readonly page: "container"; readonly guest: string; readonly name: string }
  | { readonly page: "unknown" };

const alone = ["history", "guests", "add-guest"] as const;
const ofGuest = ["guest", "debug", "create", "restore"] as const;
const ofContainer = ["container", "log", "terminal"] as const;

export function parseRoute(hash: string): Route {
  const [page = "", guest, name, ...rest] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  if (rest.length > 0) return { page: "unknown" };
  if (page === "" && guest === undefined) return { page: "overview" };
  if (guest === undefined) return isOneOf(alone, page) ? { page } : { page: "unknown" };
  if (guest !== "" && name === undefined && isOneOf(ofGuest, page)) return { page, guest };
  if (guest !== "" && name && isOneOf(ofContainer, page)) return { page, guest, name };
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

function isOneOf<T extends string>(all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

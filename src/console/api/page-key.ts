import { PAGE_KEY } from "../../base/page-key.ts";

/**
 * The secret of this browser's session beside its cookie; empty where there is none. In the storage that all tabs of this
 * origin share, so that a new tab is signed in too: an origin includes the port, and a cookie does not.
 */
export function pageKey(): string {
  try {
    return localStorage.getItem(PAGE_KEY) ?? "";
  } catch {
    return "";
  }
}

/** Throws where the browser keeps nothing for pages. */
export function keepPageKey(key: string): void {
  localStorage.setItem(PAGE_KEY, key);
}

export function forgetPageKey(): void {
  try {
    localStorage.removeItem(PAGE_KEY);
  } catch {
    // Then there is none either.
  }
}

/** Calls when another tab has signed in. Returns how to stop that. */
export function onSignedInElsewhere(call: () => void): () => void {
  const look = ({ key, newValue }: StorageEvent): void => {
    if (key === PAGE_KEY && newValue) call();
  };
  addEventListener("storage", look);
  return () => removeEventListener("storage", look);
}

import { PAGE_KEY } from "../base/page-key.ts";
import { keepPageKey } from "./api/page-key.ts";

/** The program of the page that a sign-in URL leads to: keeps the key that the page brought, and opens the console. */
try {
  keepPageKey(document.querySelector<HTMLMetaElement>(`meta[name="${PAGE_KEY}"]`)?.content ?? "");
  location.replace("/");
} catch {
  const sentence = document.querySelector("main p");
  if (sentence)
    sentence.textContent =
      "This browser keeps nothing for this page, so it cannot stay signed in. Allow site data for it, run tremplin console again, and open the new URL.";
}

/** The text as a terminal of a locale can show it: without UTF-8 only ASCII, with a question mark for anything else. */
export function showableIn(env: NodeJS.ProcessEnv, text: string): string {
  return usesUtf8(env) ? text : text.replace(/[^\0-\x7f]/gu, "?");
}

/** As the C library chooses the characters: the first of these that is set; without any the locale is C. */
function usesUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}

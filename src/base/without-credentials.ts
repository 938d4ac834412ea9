/** Removes the names and passwords from all URIs in a text: a lone name is often a token. */
export function withoutCredentials(text: string): string {
  // Bounded, so that no text makes it slow.
  return text.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>?#]{1,512}@/gi, "$1");
}

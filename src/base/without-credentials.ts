/** `https://name:password@`; the first group is the scheme. Bounded, so that no text makes it slow. */
const CREDENTIALS = /([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/"'<>?#]{1,512}@/gi;

/** Removes the names and passwords from all URIs in a text: a lone name is often a token. */
export function withoutCredentials(text: string): string {
  return text.replace(CREDENTIALS, "$1");
}

/** Puts a mask in place of the names and passwords of all URIs in a text. */
export function maskCredentials(text: string, mask: string): string {
  return text.replace(CREDENTIALS, `$1${mask}@`);
}

const MASK = "[masked]";

/*
 * Logs may be written by whoever is in a container, so nothing here may be slow on any text: each expression
 * either fails within a few characters of where it began, or matches.
 */

/** A word for a secret, what assigns it, and the value: in quotes, or up to where such values end. */
const assignment =
  /((?:secret|token|password|passphrase|private[_-]?key|authorization)["']?\s{0,4}[=:]\s{0,4})("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|(?:bearer )?[^\s"'&,;)}\]]+)/gi;
/** From its first line to its last, or to the end of the text where that is cut off. */
const pemBlock = /-----BEGIN [A-Z0-9 ]{1,64}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g;
/** A line of such a block whose beginning is cut off. */
const base64Line = /^[A-Za-z0-9+/]{48,}={0,2}$/gm;
/** Shorter lines of a known secret are in other texts by chance. */
const SHORTEST = 8;

/**
 * A text for whoever looks for a fault, without what would let them in: values of parameters that are called a
 * secret, token, password or key, PEM blocks, and the given secrets wherever they occur.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.flatMap((secret) => [
    secret.trim(),
    ...secret.split("\n").map((line) => line.trim()),
  ]);
  const masked = known
    .filter((secret) => secret.length >= SHORTEST)
    .reduce((left, secret) => left.replaceAll(secret, MASK), text);
  return masked.replace(pemBlock, MASK).replace(base64Line, MASK).replace(assignment, `$1${MASK}`);
}

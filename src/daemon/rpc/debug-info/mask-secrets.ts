const MASK = "[masked]";

/*
 * Programs in a container can write to these logs, so no text may make an expression slow: each either fails within a
 * few characters of where it began, or matches.
 */

/** A word for a secret, an assignment sign, and the value: in quotes, or up to a character that ends such values. */
const assignment =
  /((?:secret|token|password|passphrase|private[_-]?key|authorization)["']?\s{0,4}[=:]\s{0,4})("(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|(?:bearer )?[^\s"'&,;)}\]]+)/gi;
/** From its first line to its last, or to the end of the text if the block is cut off. */
const pemBlock = /-----BEGIN [A-Z0-9 ]{1,64}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g;
/** A line of such a block whose first line is cut off. */
const base64Line = /^[A-Za-z0-9+/]{48,}={0,2}$/gm;
/** Shorter lines of a known secret occur in other texts by chance. */
const MIN_SECRET_LENGTH = 8;

/**
 * Masks values of parameters whose name contains secret, token, password or key, PEM blocks, and the given secrets
 * wherever they occur.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.flatMap((secret) => [
    secret.trim(),
    ...secret.split("\n").map((line) => line.trim()),
  ]);
  const masked = known
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .reduce((left, secret) => left.replaceAll(secret, MASK), text);
  return masked.replace(pemBlock, MASK).replace(base64Line, MASK).replace(assignment, `$1${MASK}`);
}

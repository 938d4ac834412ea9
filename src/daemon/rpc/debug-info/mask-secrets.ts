import { maskCredentials } from "../../../base/without-credentials.ts";

const MASK = "[masked]";

/*
 * Programs in a container can write to these logs, so no text may make an expression slow: each either fails within a
 * few characters of where it began, or matches.
 */

/** Words that say that a value is a secret, wherever they occur in the name of a parameter. */
const secretWord = [
  "secret|token|passw(?:or)?d|passphrase|passcode|pwd|credential|signature",
  "(?:api|access|auth|account|deploy|encryption|license|master|private|signing|ssh|subscription)[_-]?key",
  "_(?:key|pat|pass|auth)(?![a-z])|[?&](?:key|sig|code|auth)(?==)",
].join("|");
/** A quoted text, an indented block of YAML, or what comes up to a character that ends such values. */
const value = [
  '"(?:[^"\\\\\\n]|\\\\.)*"?',
  "'[^'\\n]*'?",
  "[|>][-+\\d]{0,2}[ \\t]{0,8}(?:\\n[ \\t]+[^\\n]*)+",
  "[^\\s\"'&,;)}\\]]+",
].join("|");
/** `NAME=value`, `"name": "value"`, and the words for it in other notations. */
const assignment = new RegExp(
  `((?:${secretWord})[\\w.-]{0,24}["'\\]]{0,2}[ \\t]{0,4}(?:=>|:=|[=:])[ \\t]{0,4})(?:${value})`,
  "gi",
);
/** `--password value`, also as two elements of a list. */
const option = new RegExp(
  `((?<![\\w-])--?[\\w-]{0,24}?(?:${secretWord}|password)[\\w-]{0,24}["']?,?[ \\t]{1,4})(?!-)(?:${value})`,
  "gi",
);
/** Headers whose value has blanks: it ends with the line, or with the quote or the bracket that it stands in. */
const header = /((?:authorization|cookie)\d?["']?\s{0,4}[=:]\s{0,4}["'[]{0,2})[^\n"'\]]+/gi;
/** `curl -u name:password`. */
const userOption = /((?:\s-u|--user|--proxy-user)[= ]["']?)[^\s:"']{1,256}:[^\s"']+/g;
/** Tokens that are recognized by their own form, and hashes of passwords. */
const knownForms = [
  /(?<![\w-])(?:gh[a-z]_|github_pat_|gl[a-z]{2,6}-|npm_|pypi-|xox[a-z]-|sk-|AKIA|ASIA|AIza|ya29\.)[\w.-]{12,}/g,
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*/g,
  /\$(?:\d[a-z]?|y|gy|sha1|argon2\w{1,2})\$[\w./$=,+-]{8,}/g,
];
/** From its first line to its last, or to the end of the text if the block is cut off. */
const pemBlock = /-----BEGIN [A-Z0-9 ]{1,64}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g;
/** A line of such a block whose first line is cut off. */
const base64Line = /^[A-Za-z0-9+/]{48,}={0,2}$/gm;
/** Shorter lines of a known secret occur in other texts by chance. */
const MIN_SECRET_LENGTH = 8;

/**
 * Masks the given secrets wherever they occur, and what looks like a secret: values of parameters and options whose
 * name says so, headers of authorization and cookies, credentials in URLs, PEM blocks, and tokens of well-known forms.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  const known = secrets.flatMap((secret) => [
    secret.trim(),
    ...secret.split("\n").map((line) => line.trim()),
  ]);
  const withoutKnown = known
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .reduce((left, secret) => left.replaceAll(secret, MASK), text)
    .replace(pemBlock, MASK)
    .replace(base64Line, MASK);
  const withoutForms = knownForms.reduce((left, form) => left.replace(form, MASK), withoutKnown);
  return [header, userOption, option, assignment].reduce(
    (left, form) => left.replace(form, `$1${MASK}`),
    maskCredentials(withoutForms, MASK),
  );
}

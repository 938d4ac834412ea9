import { encodeLatin1 } from "../guest/lossless-text.ts";

/** A URI as every user of a system may see it, in the arguments of a program. */
export interface PlainRequest {
  readonly uri: string;
  /** What apt_auth.conf(5) needs for it. */
  readonly netrc?: Uint8Array;
}

/**
 * Takes the name and password out of a URI of apt. Undefined if apt can get them in no other way: its file has no quotes
 * for blanks, and only its own methods for web servers read it.
 */
export function withoutPassword(uri: string): PlainRequest | undefined {
  const found = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)@([^/@]*)(.*)$/is.exec(uri);
  if (!found) return { uri };
  const [, scheme = "", credentials = "", authority = "", path = ""] = found;
  const plain = `${scheme.toLowerCase()}://${authority}${path}`;
  const [, login = "", password = ""] = (/^([^:]*):?(.*)$/s.exec(credentials) ?? []).map(unquote);
  if (login + password === "") return { uri: plain };
  if (!/^(tor\+)?https?$/i.test(scheme) || /[^\x21-\x7e\x80-\xff]/.test(login + password)) return undefined;
  const secret = [
    ...(login === "" ? [] : ["login", login]),
    ...(password === "" ? [] : ["password", password]),
  ].join(" ");
  // Only newer versions of apt know the form with the scheme; for them the others are about https.
  const machines = [plain, `${authority}${path}`, `${authority.replace(/:\d*$/, "")}${path}`];
  const lines = [...new Set(machines)].map((machine) => `machine ${machine} ${secret}\n`);
  return { uri: plain, netrc: encodeLatin1(lines.join("")) };
}

/** As apt does: what is no code stays. One character for each byte. */
function unquote(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

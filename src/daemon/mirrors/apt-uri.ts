/** The parts of a URI in apt's sources. `host` is in lower case and without port and credentials. */
export interface AptUri {
  /** With its colon, in lower case: "https:", "tor+http:", "mirror+file:". */
  readonly scheme: string;
  /** "name:password@", or "". */
  readonly credentials: string;
  readonly host: string;
  /** Host and port. */
  readonly authority: string;
  /** Without slashes at its end. */
  readonly path: string;
}

/** Splits a URI of any scheme. What is no URI has only a path. */
export function parseAptUri(uri: string): AptUri {
  const [, scheme = "", authorityText = "", rest = uri] =
    /^([a-z][a-z0-9+.-]*:)(?:\/\/([^/]*))?(.*)$/is.exec(uri) ?? [];
  const at = authorityText.lastIndexOf("@");
  const authority = authorityText.slice(at + 1);
  const host = /^(\[[^\]]*\]|[^:]*)/.exec(authority)?.[0] ?? "";
  return {
    scheme: scheme.toLowerCase(),
    credentials: authorityText.slice(0, at + 1),
    host: host.replace(/^\[|\]$|\.$/g, "").toLowerCase(),
    authority,
    path: withoutSlashesAtEnd(rest),
  };
}

/** A loop, because `/\/+$/` takes quadratic time. */
export function withoutSlashesAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === "/") end--;
  return text.slice(0, end);
}

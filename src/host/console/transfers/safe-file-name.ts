const MAX_LENGTH = 120;

/** A name that every system can give a file, with an ending that says how a backup is compressed. */
export function safeFileName(wanted: string): string {
  const ending = /\.tar\.(?:gz|zst)$/.exec(wanted)?.[0] ?? ".tar.gz";
  const stem = wanted.endsWith(ending) ? wanted.slice(0, -ending.length) : wanted;
  const safe = stem.replace(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._-]+|[._-]+$/g, "");
  return `${safe.slice(0, MAX_LENGTH) || "backup"}${ending}`;
}

/** The header by which a browser saves an answer under that name. */
export function contentDisposition(safeName: string): string {
  return `attachment; filename="${safeName}"`;
}

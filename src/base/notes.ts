/**
 * The call metadata with what a person should know about a request that succeeded: sentences, each encoded as a
 * component of a URL, separated by commas.
 */
export const NOTES_METADATA = "tremplin-notes";

const MAX_NOTES = 20;

/** The notes in some metadata; a malformed one is left out. */
export function notesIn(metadata: Headers): string[] {
  const encoded = (metadata.get(NOTES_METADATA) ?? "").split(",", MAX_NOTES);
  return encoded.map(decode).filter((note) => note !== "");
}

export function setNotes(
  { responseHeader }: { readonly responseHeader: Headers },
  notes: readonly string[],
): void {
  if (notes.length > 0) responseHeader.set(NOTES_METADATA, notes.map(encodeURIComponent).join(","));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return "";
  }
}

/** One entry of apt's sources: a line of a `.list`, or a stanza of a `.sources` file (sources.list(5)). */
export interface AptSource {
  /** `deb`, `deb-src`. */
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** False only for a stanza with `Enabled: no`; a disabled line is a comment, not an entry. */
  readonly enabled: boolean;
}

/** The changes to one entry. */
export interface AptSourceEdit {
  /** Maps a suite to its new name; undefined drops the suite. An entry without a suite is disabled. */
  readonly suite?: ((name: string) => string | undefined) | undefined;
  /** Maps a URI to its new one. */
  readonly uri?: ((uri: string) => string) | undefined;
  /** Disables the entry: a line becomes a comment, a stanza gets `Enabled: no`. */
  readonly disable?: boolean | undefined;
}

/** Returns the changes to an entry; undefined for none. */
export type AptSourceEditor = (source: AptSource) => AptSourceEdit | undefined;

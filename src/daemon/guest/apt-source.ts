/** One entry of apt's sources: a line of a `.list`, or a stanza of a `.sources` file (sources.list(5)). */
export interface AptSource {
  /** `deb`, `deb-src`. */
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** False only for a stanza that says `Enabled: no`; a line is disabled by being a comment. */
  readonly enabled: boolean;
}

/** What to change in one entry. */
export interface AptSourceEdit {
  /** The new name for each suite; undefined drops it, and an entry left without a suite is disabled. */
  readonly suite?: ((name: string) => string | undefined) | undefined;
  /** The new place for each place. */
  readonly uri?: ((uri: string) => string) | undefined;
  /** Disables the entry: a line becomes a comment, a stanza gets `Enabled: no`. */
  readonly disable?: boolean | undefined;
}

/** Says what to change in an entry; undefined changes nothing. */
export type AptSourceEditor = (source: AptSource) => AptSourceEdit | undefined;

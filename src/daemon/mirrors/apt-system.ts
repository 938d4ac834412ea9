/**
 * A system with apt: this machine, or a container. Places are asked from the system whose sources name them, with that
 * system's apt, so that its network, proxies and certificates count, and a container cannot make the daemon connect to
 * anything.
 */
export interface AptSystem {
  /** For downloads. Removed afterwards; its parent exists. */
  readonly folder: string;
  /** Settings of apt in addition to its own. */
  readonly settings?: readonly string[];
  /** Runs a program to its end and returns the beginning of its standard output, also if it fails or does not exist. */
  run(command: readonly string[]): Promise<string>;
  /** The text of a small file; undefined if there is none. */
  readFile(path: string): Promise<string | undefined>;
}

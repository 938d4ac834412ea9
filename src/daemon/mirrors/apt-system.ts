/**
 * A system with apt: this machine, or a container. Places are asked from the system whose sources name them, with that
 * system's apt, so that its network, proxies and certificates count, and a container cannot make the daemon connect to
 * anything.
 */
export interface AptSystem {
  /** For downloads, which only its owner can see. Removed afterwards; its parent exists, and no other user writes there. */
  readonly folder: string;
  /** Settings of apt in addition to its own. */
  readonly settings?: readonly string[];
  /** Runs a program to its end and returns the beginning of its standard output, also if it fails or does not exist. */
  run(command: readonly string[]): Promise<string>;
  /** Writes a new file in the folder that only its owner can read: what must not be in the arguments of a program. */
  writeSecret(path: string, content: Uint8Array): Promise<void>;
  /** The text of a small file; undefined if there is none. */
  readFile(path: string): Promise<string | undefined>;
}

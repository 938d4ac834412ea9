/** Something on this machine that keeps containers from working as they should. */
export interface Problem {
  /** A word for what it concerns: `addresses`, `dns`, `firewall`, `forwarding`, `inotify`, `subnet`. */
  readonly area: string;
  /** A sentence without a full stop: what is wrong, and what that means for containers. */
  readonly problem: string;
  /** What a person can do: a command, where one helps. */
  readonly advice: string;
}

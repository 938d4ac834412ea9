/** The contract's text for an engine that nobody has started. */
const NOT_STARTED = "LXD not running: call StartLxd first";

/** A guest's reason for a person at the command line, who knows commands and no rpcs. */
export function plainReason(reason: string): string {
  return reason.replace(
    NOT_STARTED,
    "the engine does not run; sudo tremplin up starts it (tremplin machine up, in a machine)",
  );
}

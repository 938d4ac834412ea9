/**
 * The lines of an upgrade's notices that programs read. UpgradeContainerProgress has no fields for a percentage or for
 * the path of the log, so these lines carry them; an unmodified host shows them as they are.
 */

/** How far an upgrade is. */
export interface UpgradePhase {
  /** 0 to 100. */
  readonly percent: number;
  /** What it does now, in one line. */
  readonly phase: string;
}

export function formatPhaseLine({ percent, phase }: UpgradePhase): string {
  return `== ${percent} % ${phase}`;
}

/** Undefined for any other line. */
export function parsePhaseLine(line: string): UpgradePhase | undefined {
  const match = /^== (\d{1,3}) % (.*)$/.exec(line);
  return match ? { percent: Math.min(100, Number(match[1])), phase: match[2] ?? "" } : undefined;
}

/** The line with which an upgrade begins. `log` is the absolute path of the log on the guest. */
export function formatUpgradeStart(container: string, release: string, log: string): string {
  return `upgrading ${container} to ${release}; every line is in ${log}`;
}

/** The path of the log in the line with which an upgrade begins; undefined for any other line. */
export function parseUpgradeLog(line: string): string | undefined {
  return /^upgrading [^;]*; every line is in (\/.*)$/.exec(line)?.[1];
}

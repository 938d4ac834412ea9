import { findExecutable } from "../../base/processes/find-executable.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { version } from "../../daemon/version.ts";
import { badFinding, type Finding, goodFinding, noteFinding } from "./finding.ts";

const NAME = "clock";
const DAY_MS = 86_400_000;

/** Whether the clock can be right. */
export async function checkClock(now = Date.now()): Promise<Finding> {
  return clockFinding(now, builtAt(version), await askSystemd());
}

/** `synchronized`: undefined where nobody knows. */
export function clockFinding(
  now: number,
  built: number | undefined,
  synchronized: boolean | undefined,
): Finding {
  const time = new Date(now).toISOString().slice(0, 16).replace("T", " ");
  if (built !== undefined && now < built - DAY_MS) {
    return badFinding(
      NAME,
      `it is ${time} UTC by this computer, before this program was made: certificates and package lists count as not valid yet`,
      "timedatectl set-ntp true, or date --set=TIME",
    );
  }
  if (synchronized === false) {
    const found = `it is ${time} UTC by this computer, and nothing sets the clock`;
    return noteFinding(NAME, found, "apt-get install systemd-timesyncd, then timedatectl set-ntp true");
  }
  return goodFinding(NAME, `${time} UTC${synchronized ? ", synchronized" : ""}`);
}

/** When the commit of a version was made; undefined for a release. Milliseconds since 1970. */
export function builtAt(text: string): number | undefined {
  const [, year, month, day] = /\+git(\d{4})(\d{2})(\d{2})\./.exec(text) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** What `timedatectl show` says, in its lines of KEY=VALUE. */
export function synchronizedBy(text: string): boolean | undefined {
  const [, value] = /^NTPSynchronized=(yes|no)$/m.exec(text) ?? [];
  return value === undefined ? undefined : value === "yes";
}

async function askSystemd(): Promise<boolean | undefined> {
  const program = await findExecutable("timedatectl");
  if (!program) return undefined;
  return await runProgram(program, ["show"], { timeoutMs: 5_000 }).then(synchronizedBy, () => undefined);
}

import { NO_LOCKS } from "./apt.ts";
import type { ContainerExec } from "./container-exec.ts";
import { joinNames } from "./output-lines.ts";
import { lockLine, lockWait } from "./package-program.ts";
import { readBrokenPackages } from "./package-state.ts";

/** What holds packages back, or must be repaired or waited for. */
export async function checkPackages(exec: ContainerExec) {
  const broken = await readBrokenPackages(exec);
  const held = await readHeldPackages(exec);
  const pins = await readPins(exec);
  const { exitCode, stderr } = await exec.capture(["apt-get", "--quiet", "check"]);
  const locked = exitCode === 0 ? undefined : lockLine(stderr.split("\n"));
  return {
    problems:
      held.length === 0
        ? []
        : [
            `packages are held back (${joinNames(held)}), which can block the upgrade: release them with apt-mark unhold`,
          ],
    notes: [
      ...(broken.size === 0 ? [] : ["dpkg was interrupted earlier; this is repaired first"]),
      ...(pins.length === 0
        ? []
        : [`pins in /etc/apt/preferences and /etc/apt/preferences.d stay: ${joinNames(pins)}`]),
      ...(locked === undefined
        ? []
        : [`another program uses apt or dpkg now; the upgrade waits for it, ${lockWait}`]),
    ],
  };
}

async function readHeldPackages(exec: ContainerExec): Promise<string[]> {
  const { stdout } = await exec.capture(["apt-mark", "showhold"]);
  return stdout.split("\n").filter((name) => name !== "");
}

async function readPins(exec: ContainerExec): Promise<string[]> {
  return parsePins((await exec.capture(["apt-cache", "--quiet", ...NO_LOCKS, "policy"])).stdout);
}

/** The packages below "Pinned packages:" in `apt-cache policy`: `name -> version with priority 1001`. */
export function parsePins(policy: string): string[] {
  const [, pinned = ""] = policy.split(/^Pinned packages:$/m);
  return [...new Set([...pinned.matchAll(/^ +(\S+) -> \S+/gm)].map((line) => line[1] ?? ""))];
}

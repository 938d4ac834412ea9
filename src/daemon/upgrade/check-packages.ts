import { NO_LOCKS } from "./apt.ts";
import type { ContainerExec } from "./container-exec.ts";
import { joinNames } from "./output-lines.ts";
import { lockLine, lockWait } from "./package-program.ts";
import { readBrokenPackages } from "./package-state.ts";
import type { Release } from "./releases.ts";

/** What apt will refuse after an upgrade, because a person's settings name another release; a sentence, or nothing. */
export async function checkDefaultRelease(exec: ContainerExec, to: Release): Promise<string[]> {
  const { stdout } = await exec.capture(["apt-config", "dump", "--format", "%v%n", "APT::Default-Release"]);
  const name = stdout.trim();
  if (name === "" || name === to.codename || name === "stable") return [];
  return [
    `APT::Default-Release is "${joinNames([name])}" in the settings of apt: change it to ${to.codename}, because apt cannot find the other release any more`,
  ];
}

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

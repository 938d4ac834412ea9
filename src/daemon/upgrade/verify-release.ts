import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { displayText } from "../guest/lossless-text.ts";
import { findPrimaryUser } from "../guest/primary-user.ts";
import type { ContainerExec } from "./container-exec.ts";
import { readContainerRelease } from "./container-release.ts";
import { plainLine } from "./output-lines.ts";
import { type Release, releaseName } from "./releases.ts";

/** How long the init system may take to come up. Milliseconds. */
const BOOT_TIMEOUT_MS = 180_000;
const POLL_INTERVAL_MS = 500;

/** Who a container is set up for, to be compared; undefined for nobody. */
export async function readPrimaryUserName(inside: ContainerExec, now: number): Promise<string | undefined> {
  using files = await inside.files();
  const person = await findPrimaryUser(files, now);
  return person && displayText(person.name);
}

/**
 * Proves that a restarted container is what it was to become: the release, sound packages, an init system that
 * is up, the same person; and that it is on the disk. Throws `failed` with what is not so. Answers what is worth
 * telling.
 */
export async function verifyRelease(
  inside: ContainerExec,
  release: Release,
  person: string | undefined,
  clock: Clock,
): Promise<string[]> {
  const notes = await waitForInit(inside, clock);
  await verifyVersion(inside, release);
  await verifyPackages(inside);
  const now = await readPrimaryUserName(inside, clock.now());
  if (now !== person) {
    throw new TremplinError("failed", `its person was ${person ?? "nobody"} and is ${now ?? "nobody"} now`);
  }
  await inside.runOrThrow("writing everything to the disk", ["sync", "--file-system", "/"]);
  return notes;
}

async function verifyVersion(inside: ContainerExec, release: Release): Promise<void> {
  const found = await readContainerRelease(inside);
  if (found === release) return;
  throw new TremplinError(
    "failed",
    `it says that it is ${releaseName(found)} after the upgrade to ${releaseName(release)}`,
  );
}

async function verifyPackages(inside: ContainerExec): Promise<void> {
  const audit = await inside.capture(["dpkg", "--audit"]);
  if (audit.exitCode !== 0 || audit.stdout.trim() !== "") {
    throw new TremplinError("failed", `dpkg finds packages that are not whole: ${firstLines(audit.stdout)}`);
  }
  const check = await inside.capture(["apt-get", "--quiet", "check"]);
  if (check.exitCode === 0) return;
  throw new TremplinError("failed", `apt finds dependencies that are not met: ${firstLines(check.stderr)}`);
}

/** Up is systemd once it has started all it can; any other init that lets programs run. */
async function waitForInit(inside: ContainerExec, clock: Clock): Promise<string[]> {
  const end = clock.elapsed() + BOOT_TIMEOUT_MS;
  const { exitCode } = await inside.capture(["sh", "-c", "[ -d /run/systemd ] || [ -x /bin/systemctl ]"]);
  if (exitCode !== 0) return [];
  for (;;) {
    const { stdout, stderr } = await inside.capture(["systemctl", "is-system-running"]);
    const state = stdout.trim();
    if (state === "running") return [];
    if (state === "degraded") return [`it runs, but some units failed: ${await failedUnits(inside)}`];
    if (clock.elapsed() > end) {
      const words = firstLines(state || stderr);
      throw new TremplinError(
        "failed",
        `its init system is not up after ${BOOT_TIMEOUT_MS / 1000} s: ${words}`,
      );
    }
    await clock.sleep(POLL_INTERVAL_MS, inside.signal);
  }
}

async function failedUnits(inside: ContainerExec): Promise<string> {
  const { stdout } = await inside.capture(["systemctl", "list-units", "--failed", "--no-legend", "--plain"]);
  return stdout
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((unit) => unit !== "")
    .slice(0, 8)
    .join(", ");
}

function firstLines(text: string): string {
  return plainLine(text.trim().split("\n").slice(0, 4).join(" | ").slice(0, 500));
}

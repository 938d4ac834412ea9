import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { primaryUserName } from "../guest/primary-user.ts";
import type { ContainerExec } from "./container-exec.ts";
import { readContainerRelease } from "./container-release.ts";
import { plainLine } from "./output-lines.ts";
import { type Release, releaseName } from "./releases.ts";

/** How long the init system may take to start. */
const BOOT_TIMEOUT_MS = 180_000;
const POLL_INTERVAL_MS = 500;

/** The name of the primary user; undefined if there is none. */
export async function readPrimaryUserName(exec: ContainerExec): Promise<string | undefined> {
  using files = await exec.files();
  return await primaryUserName(files);
}

/**
 * Verifies a restarted container: its release, consistent packages, a running init system and the same primary user.
 * Then syncs its disk. Throws `failed` with the first check that fails. Returns notes to report.
 */
export async function verifyRelease(
  exec: ContainerExec,
  release: Release,
  primaryUser: string | undefined,
  clock: Clock,
): Promise<string[]> {
  const notes = await waitForInit(exec, clock);
  await verifyVersion(exec, release);
  await verifyPackages(exec);
  const now = await readPrimaryUserName(exec);
  if (now !== primaryUser) {
    throw new TremplinError(
      "failed",
      `its primary user was ${primaryUser ?? "missing"} before and is ${now ?? "missing"} now`,
    );
  }
  await exec.runOrThrow("writing everything to the disk", ["sync", "--file-system", "/"]);
  return notes;
}

async function verifyVersion(exec: ContainerExec, release: Release): Promise<void> {
  const found = await readContainerRelease(exec);
  if (found === release) return;
  throw new TremplinError(
    "failed",
    `its os-release says ${releaseName(found)} after the upgrade to ${releaseName(release)}`,
  );
}

async function verifyPackages(exec: ContainerExec): Promise<void> {
  const audit = await exec.capture(["dpkg", "--audit"]);
  if (audit.exitCode !== 0 || audit.stdout.trim() !== "") {
    throw new TremplinError("failed", `dpkg found inconsistent packages: ${firstLines(audit.stdout)}`);
  }
  const check = await exec.capture(["apt-get", "--quiet", "check"]);
  if (check.exitCode === 0) return;
  throw new TremplinError("failed", `apt found unmet dependencies: ${firstLines(check.stderr)}`);
}

/** Waits until systemd has started everything it can. Another init system counts as started if programs run. */
async function waitForInit(exec: ContainerExec, clock: Clock): Promise<string[]> {
  const end = clock.elapsed() + BOOT_TIMEOUT_MS;
  const { exitCode } = await exec.capture(["sh", "-c", "[ -d /run/systemd ] || [ -x /bin/systemctl ]"]);
  if (exitCode !== 0) return [];
  for (;;) {
    const { stdout, stderr } = await exec.capture(["systemctl", "is-system-running"]);
    const state = stdout.trim();
    if (state === "running") return [];
    if (state === "degraded") return [`it runs, but some units failed: ${await failedUnits(exec)}`];
    if (clock.elapsed() > end) {
      const message = firstLines(state || stderr);
      throw new TremplinError(
        "failed",
        `its init system has not started within ${BOOT_TIMEOUT_MS / 1000} s: ${message}`,
      );
    }
    await clock.sleep(POLL_INTERVAL_MS, exec.signal);
  }
}

async function failedUnits(exec: ContainerExec): Promise<string> {
  const { stdout } = await exec.capture(["systemctl", "list-units", "--failed", "--no-legend", "--plain"]);
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

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs/promises";
import { canAccess } from "../base/files/files.ts";
import { CONFINED } from "./qemu-arguments.ts";

export const accelerators = ["kvm", "tcg"] as const;
export type Accelerator = (typeof accelerators)[number];

/** With hardware virtualization the probe takes about two seconds. */
const PROBE_TIMEOUT_MS = 15_000;
const NO_DISK = "Unable to mount root fs";

/**
 * Finds out whether hardware virtualization works: boots a kernel without a disk until it panics because of that.
 * /dev/kvm alone proves little; there are computers that have it and on which no kernel boots.
 */
export async function findAccelerator(kernel: string, signal: AbortSignal): Promise<Accelerator> {
  const usable = await canAccess("/dev/kvm", constants.R_OK | constants.W_OK);
  return usable && (await boots(probeArguments(kernel), signal)) ? "kvm" : "tcg";
}

/** The arguments of QEMU for the probe. */
export function probeArguments(kernel: string): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", ...CONFINED],
    ...["-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256"],
    ...["-kernel", kernel, "-append", "console=ttyS0 panic=-1", "-serial", "stdio"],
  ];
}

async function boots(args: readonly string[], signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
  const options = { signal: limit, killSignal: "SIGKILL" } as const;
  const child = spawn("qemu-system-x86_64", args, { ...options, stdio: ["ignore", "pipe", "ignore"] });
  let console = "";
  child.stdout.on("data", (chunk) => {
    console += chunk;
  });
  await once(child, "close").catch(() => undefined);
  signal.throwIfAborted();
  return console.includes(NO_DISK);
}

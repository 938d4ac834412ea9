import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs/promises";
import { canAccess } from "../base/files/can-access.ts";

export type Accelerator = "kvm" | "tcg";

/** A kernel that runs on hardware reaches its end in about two seconds. Milliseconds. */
const PATIENCE = 15_000;
const NO_DISK = "Unable to mount root fs";

/**
 * Whether hardware virtualisation works here, found by trying: a kernel without a disk is booted until it gives
 * up for want of one. /dev/kvm alone says little; there are machines where it is and no kernel gets through.
 */
export async function findAccelerator(kernel: string, signal: AbortSignal): Promise<Accelerator> {
  const usable = await canAccess("/dev/kvm", constants.R_OK | constants.W_OK);
  return usable && (await boots(probeArguments(kernel), signal)) ? "kvm" : "tcg";
}

/** The QEMU words of the trial. */
export function probeArguments(kernel: string): string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-M", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256"],
    ...["-kernel", kernel, "-append", "console=ttyS0 panic=-1", "-serial", "stdio"],
  ];
}

async function boots(args: readonly string[], signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
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

import { join } from "node:path";
import { DAEMON_PORT } from "./machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";
import type { SharedOwnership } from "./shared-ownership.ts";

/** Software emulation is 7 to 17 % faster with a processor that has few features (measured). */
export const EMULATED: readonly string[] = ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem"];

/**
 * QEMU gives up what it does not need: starting programs, changing its user, its priorities, and system calls of old. A
 * guest that finds a fault in QEMU cannot use them either.
 */
export const CONFINED: readonly string[] = [
  "-sandbox",
  "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
];

/** The arguments of QEMU (qemu-system-x86_64(1)). The console of the machine is its standard output. */
export function qemuArguments(
  folder: MachineFolder,
  settings: MachineSettings,
  ownership: SharedOwnership,
): string[] {
  const { memory, cpus, accelerator, cid, ports } = settings;
  const forward = (port: number, guestPort: number): string =>
    `hostfwd=tcp:127.0.0.1:${port}-10.0.2.15:${guestPort}`;
  const ssh = forward(ports.ssh, 22);
  const forwards = cid === undefined ? [forward(ports.daemon, DAEMON_PORT), ssh] : [ssh];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", ...CONFINED],
    ...["-name", `tremplin-${folder.name}`, "-M", "q35", "-m", `${memory}`, "-smp", `${cpus}`],
    ...(accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : EMULATED),
    ...["-kernel", join(folder.system, "vmlinuz"), "-initrd", join(folder.system, "initrd.img")],
    ...[
      "-append",
      `root=/dev/vda rw quiet console=ttyS0 panic=-1${accelerator === "tcg" ? " mitigations=off" : ""}`,
    ],
    ...disk("system", join(folder.system, "root.img")),
    ...disk("containers", folder.disk),
    ...sharedFolder("given", folder.bootFiles, "none,readonly=on"),
    ...sharedFolder("shared", folder.shared, ownership),
    // The machine sets its own clock by this one (follow-clock in guest-files.ts).
    ...["-device", "virtio-rng-pci", "-rtc", "base=utc,clock=host"],
    ...["-netdev", `user,id=net,${forwards.join(",")}`],
    ...(cid === undefined ? [] : ["-device", `vhost-vsock-pci,guest-cid=${cid}`]),
    ...["-device", "virtio-net-pci,netdev=net", "-device", "qemu-xhci,id=xhci"],
    ...["-qmp", `unix:${escapeCommas(folder.monitor)},server=on,wait=off`, "-serial", "stdio"],
  ];
}

/** A disk whose file shrinks when the machine discards blocks. */
function disk(id: string, file: string): string[] {
  return [
    ...["-drive", `file=${escapeCommas(file)},id=${id},if=none,format=raw,discard=unmap,detect-zeroes=unmap`],
    ...["-device", `virtio-blk-pci,drive=${id},serial=${id}`],
  ];
}

/** A folder of the host. `model`: what becomes of owners and modes that the machine sets, and of links and devices. */
function sharedFolder(tag: string, path: string, model: string): string[] {
  return [
    ...["-fsdev", `local,id=${tag},path=${escapeCommas(path)},security_model=${model}`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** Escapes a value for QEMU's option lists. */
function escapeCommas(text: string): string {
  return text.replaceAll(",", ",,");
}

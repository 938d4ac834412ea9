import { join } from "node:path";
import { DAEMON_PORT } from "./machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";

/** Software emulation: a model with little to emulate is quicker than all features (measured: 7 to 17 %). */
export const EMULATED: readonly string[] = ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem"];

/** The words for QEMU (qemu-system-x86_64(1)). Its console is its standard output. */
export function qemuArguments(folder: MachineFolder, settings: MachineSettings): string[] {
  const { memory, cpus, accelerator, cid, ports } = settings;
  const forward = (port: number, inside: number): string =>
    `hostfwd=tcp:127.0.0.1:${port}-10.0.2.15:${inside}`;
  const ssh = forward(ports.ssh, 22);
  const forwards = cid === undefined ? [forward(ports.daemon, DAEMON_PORT), ssh] : [ssh];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...["-name", `tremplin-${folder.name}`, "-M", "q35", "-m", `${memory}`, "-smp", `${cpus}`],
    ...(accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : EMULATED),
    ...["-kernel", join(folder.system, "vmlinuz"), "-initrd", join(folder.system, "initrd.img")],
    ...[
      "-append",
      `root=/dev/vda rw quiet console=ttyS0 panic=-1${accelerator === "tcg" ? " mitigations=off" : ""}`,
    ],
    ...disk("system", join(folder.system, "root.img")),
    ...disk("containers", folder.disk),
    ...folderOf("given", folder.bootFiles, ",readonly=on"),
    ...folderOf("shared", folder.shared, ""),
    ...["-device", "virtio-rng-pci"],
    ...["-netdev", `user,id=net,${forwards.join(",")}`],
    ...(cid === undefined ? [] : ["-device", `vhost-vsock-pci,guest-cid=${cid}`]),
    ...["-device", "virtio-net-pci,netdev=net", "-device", "qemu-xhci,id=xhci"],
    ...["-qmp", `unix:${comma(folder.monitor)},server=on,wait=off`, "-serial", "stdio"],
  ];
}

/** A disk whose file shrinks with what is thrown away in it. */
function disk(id: string, file: string): string[] {
  return [
    ...["-drive", `file=${comma(file)},id=${id},if=none,format=raw,discard=unmap,detect-zeroes=unmap`],
    ...["-device", `virtio-blk-pci,drive=${id},serial=${id}`],
  ];
}

/** A folder of the host; files that the machine makes there belong to whoever runs it. */
function folderOf(tag: string, path: string, rights: string): string[] {
  return [
    ...["-fsdev", `local,id=${tag},path=${comma(path)},security_model=none${rights}`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
}

/** QEMU's own quoting of a value in a list. */
function comma(text: string): string {
  return text.replaceAll(",", ",,");
}

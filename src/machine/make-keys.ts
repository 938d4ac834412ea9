import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../base/processes/run-program.ts";
import { HOST_ADDRESS } from "./machine-addresses.ts";
import type { MachineFolder } from "./machine-folder.ts";

/**
 * Creates the keys with which host and machine authenticate: an authority, whose key is deleted at the end, with one
 * certificate for each side, and ssh keys. The folder appears when everything in it is complete.
 */
export async function makeKeys(folder: MachineFolder): Promise<void> {
  const making = `${folder.keys}.new`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { mode: 0o700 });
  const path = (name: string): string => join(making, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7300"];
  const authority = [
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.crt"),
    "-subj",
    `/CN=tremplin ${folder.name}`,
  ];
  await runProgram("openssl", ["req", "-x509", ...curve, ...authority]);
  const sides = [
    ["daemon", "127.0.0.1"],
    ["host", HOST_ADDRESS],
  ] as const;
  for (const [side, address] of sides) {
    const own = ["-keyout", path(`${side}.key`), "-out", path(`${side}.crt`), "-subj", `/CN=${side}`];
    const rights = ["-addext", `subjectAltName=IP:${address}`, "-addext", "basicConstraints=CA:FALSE"];
    const signed = ["-CA", path("ca.crt"), "-CAkey", path("ca.key")];
    await runProgram("openssl", ["req", "-x509", ...curve, ...own, ...rights, ...signed]);
  }
  await rm(path("ca.key"));
  for (const name of ["ssh", "ssh-host"]) {
    await runProgram("ssh-keygen", [
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      `tremplin-${folder.name}`,
      "-f",
      path(name),
    ]);
  }
  const hostKey = await readFile(path("ssh-host.pub"), "utf8");
  await writeFile(path("known-hosts"), `${sshAlias(folder)} ${hostKey}`);
  await rename(making, folder.keys);
}

/** The name of the machine in known_hosts. It does not depend on the port. */
export function sshAlias({ name }: MachineFolder): string {
  return `tremplin-${name}`;
}

import { join } from "node:path";
import type { MachineFolder, MachineSettings } from "./machine-folder.ts";
import { sshAlias } from "./make-keys.ts";

/** The ssh command line that runs a root shell in the machine, or one program. */
export function sshCommand(
  folder: MachineFolder,
  { ports }: MachineSettings,
  { command, terminal }: { command: readonly string[]; terminal: boolean },
): string[] {
  const options = {
    IdentitiesOnly: "yes",
    UserKnownHostsFile: `"${join(folder.keys, "known-hosts")}"`,
    StrictHostKeyChecking: "yes",
    HostKeyAlias: sshAlias(folder),
    BatchMode: "yes",
    ConnectTimeout: "30",
    LogLevel: "ERROR",
  };
  return [
    ...["ssh", "-F", "none", "-i", join(folder.keys, "ssh"), "-p", `${ports.ssh}`],
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ...[terminal ? "-t" : "-T", "root@127.0.0.1"],
    // ssh joins the arguments with spaces for the shell in the machine.
    ...(command.length > 0 ? ["--", command.map(quoted).join(" ")] : []),
  ];
}

function quoted(arg: string): string {
  return `'${arg.replaceAll("'", `'\\''`)}'`;
}

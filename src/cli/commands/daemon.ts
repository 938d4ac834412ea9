import { Command } from "commander";
import { exitCode } from "../exit-code.ts";
import { type DaemonFlags, daemonOptions, withDaemonFlags } from "../flags/daemon-flags.ts";
import { withTlsFlags } from "../flags/host-flags.ts";

export function daemonCommand(): Command {
  const command = withTlsFlags(withDaemonFlags(new Command("daemon")));
  return command.action(async (flags: DaemonFlags) => {
    const options = daemonOptions(flags);
    const { runDaemon } = await import("../../daemon/main.ts");
    await runDaemon(options);
    // All work is done: what a library still waits for must not delay the end.
    process.exit(exitCode.done);
  });
}

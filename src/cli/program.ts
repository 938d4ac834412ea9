import { Command, CommanderError } from "commander";
import { plainLines } from "../base/text.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { version } from "../daemon/version.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { readOriginalCommandLine } from "./flags/original-command-line.ts";
import type { Io } from "./io.ts";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<(io: Io) => Command>;
}

/** Every command with its line in the help. The file of a command is loaded only when that command is used. */
const commands: Readonly<Record<string, Entry>> = {
  up: {
    summary: "start the host, the daemon and the engine on this computer",
    load: async () => (await import("./commands/up.ts")).upCommand,
  },
  down: {
    summary: "stop the containers, the engine, the daemon and the host on this computer",
    load: async () => (await import("./commands/down.ts")).downCommand,
  },
  status: {
    summary: "show the daemon, the engine, running operations and undelivered notices",
    load: async () => (await import("./commands/status.ts")).statusCommand,
  },
  list: {
    summary: "list the containers",
    load: async () => (await import("./commands/list.ts")).listCommand,
  },
  create: {
    summary: "create a container",
    load: async () => (await import("./commands/create.ts")).createCommand,
  },
  start: {
    summary: "start a container",
    load: async () => (await import("./commands/start.ts")).startCommand,
  },
  stop: {
    summary: "stop a container",
    load: async () => (await import("./commands/stop.ts")).stopCommand,
  },
  delete: {
    summary: "delete a container with all its data",
    load: async () => (await import("./commands/delete.ts")).deleteCommand,
  },
  info: {
    summary: "show the details of a container",
    load: async () => (await import("./commands/info.ts")).infoCommand,
  },
  shell: {
    summary: "open a shell in a container, or run one program",
    load: async () => (await import("./commands/shell.ts")).shellCommand,
  },
  user: {
    summary: "show or create a container's primary user",
    load: async () => (await import("./commands/user.ts")).userCommand,
  },
  timezone: {
    summary: "set the time zone of containers",
    load: async () => (await import("./commands/timezone.ts")).timezoneCommand,
  },
  upgrade: {
    summary: "upgrade a container to another Debian release, or roll the upgrade back",
    load: async () => (await import("./commands/upgrade.ts")).upgradeCommand,
  },
  debug: {
    summary: "collect diagnostics, with secrets masked",
    load: async () => (await import("./commands/debug.ts")).debugCommand,
  },
  export: {
    summary: "write a backup of a container to the guest's shared folder",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  import: {
    summary: "create or replace a container from a backup",
    load: async () => (await import("./commands/import.ts")).importCommand,
  },
  ports: {
    summary: "list the TCP ports that containers listen on",
    load: async () => (await import("./commands/ports.ts")).portsCommand,
  },
  forward: {
    summary: "show, switch and map the ports of containers that are open on this machine",
    load: async () => (await import("./commands/forward.ts")).forwardCommand,
  },
  usb: {
    summary: "list the USB ports, and attach them to containers",
    load: async () => (await import("./commands/usb.ts")).usbCommand,
  },
  watch: {
    summary: "print events as they happen",
    load: async () => (await import("./commands/watch.ts")).watchCommand,
  },
  history: {
    summary: "list the operations under way and those that have ended",
    load: async () => (await import("./commands/history.ts")).historyCommand,
  },
  doctor: {
    summary: "check this computer and the setup, with advice",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  machine: {
    summary: "run the daemon in a managed virtual machine",
    load: async () => (await import("./commands/machine/machine.ts")).machineCommand,
  },
  trust: {
    summary: "make, list and revoke the certificates of guests and clients",
    load: async () => (await import("./commands/trust.ts")).trustCommand,
  },
  daemon: {
    summary: "run the daemon in the foreground",
    load: async () => (await import("./commands/daemon.ts")).daemonCommand,
  },
  host: {
    summary: "run the host in the foreground",
    load: async () => (await import("./commands/host.ts")).hostCommand,
  },
};

/** Runs one command line. Returns the exit code (exit-code.ts). Never throws. */
export async function run(commandLine: readonly string[], io: Io): Promise<number> {
  try {
    const args = readOriginalCommandLine(commandLine);
    const program = await createProgram(args[0] === "help" ? args[1] : args[0], io);
    await program.parseAsync(withHelpOfSubcommand(args, program), { from: "user" });
    return Number(process.exitCode ?? exitCode.done);
  } catch (thrown) {
    // Commander has already printed its message.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCode.done : exitCode.usage;
    const error = TremplinError.from(thrown);
    io.err(`tremplin: ${plainLines(error.message)}\n`);
    return exitCodeOf[error.code];
  }
}

/** `help trust guest` as `trust help guest`: Commander looks at the first name only. */
function withHelpOfSubcommand(args: readonly string[], program: Command): string[] {
  const [first, name, ...rest] = args;
  const command = program.commands.find((each) => each.name() === name);
  if (first !== "help" || name === undefined || rest.length === 0 || !command?.commands.length)
    return [...args];
  return [name, "help", ...rest];
}

/** The program with the wanted command loaded; of the others it has only the summaries. */
async function createProgram(wanted: string | undefined, io: Io): Promise<Command> {
  const program = new Command("tremplin")
    .description("Manage long-lived LXD and Incus containers.")
    .version(version, "--version", "print the version")
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showHelpAfterError("(see --help)")
    .enablePositionalOptions()
    .helpCommand("help [command] [subcommand]", "show the help of a command");
  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (name !== wanted) {
      program.command(name).description(summary);
      continue;
    }
    const create = await load();
    const command = create(io).copyInheritedSettings(program).description(summary);
    for (const subcommand of command.commands) subcommand.copyInheritedSettings(command);
    program.addCommand(command);
  }
  return program;
}

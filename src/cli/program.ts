import { Command, CommanderError } from "commander";
import { TremplinError } from "../base/tremplin-error.ts";
import { version } from "../daemon/version.ts";
import { exitCode } from "./exit-code.ts";
import { moveGlobalOptions, moveOptionsOf, ownWords } from "./flags/move-options.ts";
import { readOriginalCommandLine } from "./flags/original-command-line.ts";
import type { Io } from "./io.ts";
import { suggestForOtherName } from "./other-names.ts";
import { reportError } from "./report-error.ts";
import { traceCommand } from "./trace-command.ts";

interface Entry {
  readonly summary: string;
  /** Not in the help. */
  readonly isHidden?: true;
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
  launch: {
    summary: "create a container with its user and start it, or do what is left of that",
    load: async () => (await import("./commands/launch.ts")).launchCommand,
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
  restart: {
    summary: "stop a container and start it again",
    load: async () => (await import("./commands/restart.ts")).restartCommand,
  },
  rename: {
    summary: "give a stopped container another name",
    load: async () => (await import("./commands/rename.ts")).renameCommand,
  },
  copy: {
    summary: "copy a container",
    load: async () => (await import("./commands/copy.ts")).copyCommand,
  },
  set: {
    summary: "limit a container's processors, memory and disk, or let it start with the engine",
    load: async () => (await import("./commands/set.ts")).setCommand,
  },
  get: {
    summary: "show the settings of a container",
    load: async () => (await import("./commands/get.ts")).getCommand,
  },
  share: {
    summary: "show a folder of the machine in a container",
    load: async () => (await import("./commands/share.ts")).shareCommand,
  },
  unshare: {
    summary: "end a share; the folder and its files stay",
    load: async () => (await import("./commands/unshare.ts")).unshareCommand,
  },
  shares: {
    summary: "list the folders of the machine that containers see",
    load: async () => (await import("./commands/shares.ts")).sharesCommand,
  },
  "ssh-config": {
    summary: "let ssh, scp and editors reach containers as NAME.tremplin",
    load: async () => (await import("./commands/ssh-config.ts")).sshConfigCommand,
  },
  "ssh-proxy": {
    summary: "connect ssh to a container",
    isHidden: true,
    load: async () => (await import("./commands/ssh-proxy.ts")).sshProxyCommand,
  },
  logs: {
    summary: "show the log of a container, or of its last start",
    load: async () => (await import("./commands/logs.ts")).logsCommand,
  },
  top: {
    summary: "show what the running containers use, live",
    load: async () => (await import("./commands/top.ts")).topCommand,
  },
  snapshot: {
    summary: "take a snapshot of a container",
    load: async () => (await import("./commands/snapshot.ts")).snapshotCommand,
  },
  snapshots: {
    summary: "list the snapshots of containers",
    load: async () => (await import("./commands/snapshots.ts")).snapshotsCommand,
  },
  restore: {
    summary: "return a container to a snapshot",
    load: async () => (await import("./commands/restore.ts")).restoreCommand,
  },
  delete: {
    summary: "delete a container with all its data, or a snapshot",
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
  exec: {
    summary: "run a program in a container, without a terminal",
    load: async () => (await import("./commands/exec.ts")).execCommand,
  },
  cp: {
    summary: "copy files and folders to and from containers",
    load: async () => (await import("./commands/cp.ts")).cpCommand,
  },
  user: {
    summary: "show or create a container's primary user",
    load: async () => (await import("./commands/user.ts")).userCommand,
  },
  timezone: {
    summary: "show or set the time zone of containers",
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
    summary: "write a backup of a container to a file",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  import: {
    summary: "create or replace a container from a backup file",
    load: async () => (await import("./commands/import.ts")).importCommand,
  },
  ports: {
    summary: "list the TCP ports that containers listen on",
    load: async () => (await import("./commands/ports.ts")).portsCommand,
  },
  forward: {
    summary: "show, switch and map the ports of containers that are open on the host's computer",
    load: async () => (await import("./commands/forward.ts")).forwardCommand,
  },
  usb: {
    summary: "list the USB ports, and attach them to containers",
    load: async () => (await import("./commands/usb.ts")).usbCommand,
  },
  console: {
    summary: "print a URL that opens the console in a browser",
    load: async () => (await import("./commands/console.ts")).consoleCommand,
  },
  watch: {
    summary: "print events as they happen",
    load: async () => (await import("./commands/watch.ts")).watchCommand,
  },
  history: {
    summary: "list the operations under way and those that have ended",
    load: async () => (await import("./commands/history.ts")).historyCommand,
  },
  guest: {
    summary: "list the guests of the host, add and remove them while it runs",
    load: async () => (await import("./commands/guest.ts")).guestCommand,
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
  completion: {
    summary: "print the script with which a shell completes command lines",
    load: async () => {
      const { completionCommand } = await import("./commands/completion.ts");
      return (io) => completionCommand(io, () => createProgram("all", io));
    },
  },
  "man-pages": {
    summary: "write the manual pages of all commands into a folder",
    isHidden: true,
    load: async () => {
      const { manPagesCommand } = await import("./commands/man-pages.ts");
      return (io) => manPagesCommand(() => createProgram("all", io));
    },
  },
};

/** Runs one command line. Returns the exit code (exit-code.ts). Never throws. */
export async function run(commandLine: readonly string[], io: Io): Promise<number> {
  let json = ownWords(commandLine).includes("--json");
  try {
    const args = moveGlobalOptions(readOriginalCommandLine(commandLine));
    const wanted = args[0] === "help" ? args[1] : args[0];
    const program = await createProgram(wanted, io);
    const command = program.commands.find((each) => each.name() === wanted);
    if (wanted && !command) checkCommand(wanted, args[0] === "help");
    const words = command && args[0] !== "help" ? moveOptionsOf(command, args) : args;
    json = ownWords(words, command).includes("--json");
    await traceCommand(wanted ?? "", () =>
      program.parseAsync(withHelpOfSubcommand(words, program), { from: "user" }),
    );
    return Number(process.exitCode ?? exitCode.done);
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return reportError(TremplinError.from(thrown), json, io);
    if (thrown.exitCode === 0) return exitCode.done;
    // Commander has already printed its help.
    if (thrown.code === "commander.help") return exitCode.usage;
    const message = thrown.message.replace(/^error: /, "").replaceAll("\n", " ");
    return reportError({ code: "invalid", message: `${message} (see --help)` }, json, io);
  }
}

/** Throws `invalid` for a word that is no command, unless Commander has a better suggestion. */
function checkCommand(word: string, isHelp: boolean): void {
  if (word.startsWith("-")) return;
  suggestForOtherName(word);
  if (!isHelp || word === "help") return;
  throw new TremplinError("invalid", `there is no command "${word}"; tremplin help lists all`);
}
/** `help trust guest` as `trust help guest`: Commander looks at the first name only. */
function withHelpOfSubcommand(args: readonly string[], program: Command): string[] {
  const [first, name, ...rest] = args;
  const command = program.commands.find((each) => each.name() === name);
  if (first !== "help" || name === undefined || rest.length === 0 || !command?.commands.length)
    return [...args];
  return [name, "help", ...rest];
}

/** The program with the wanted command loaded, or all; of the others it has only the summaries. */
export async function createProgram(wanted: string | "all" | undefined, io: Io): Promise<Command> {
  const program = new Command("tremplin")
    .description("Manage long-lived LXD and Incus containers.")
    .version(version, "--version", "print the version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      // `run` prints all errors.
      outputError: () => undefined,
    })
    .enablePositionalOptions()
    .helpCommand("help [command] [subcommand]", "show the help of a command");
  for (const [name, { summary, isHidden = false, load }] of Object.entries(commands)) {
    if (name !== wanted && wanted !== "all") {
      program.command(name, { hidden: isHidden }).description(summary);
      continue;
    }
    const create = await load();
    const command = create(io).copyInheritedSettings(program).description(summary);
    for (const subcommand of command.commands) subcommand.copyInheritedSettings(command);
    program.addCommand(command, { hidden: isHidden });
  }
  return program;
}

import { Command } from "commander";
import { version } from "../daemon/version.ts";
import type { Io } from "./io.ts";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<(io: Io) => Command>;
}

/** Every command with the line that help shows. Its file is loaded only when it is the one that is asked for. */
const commands: Readonly<Record<string, Entry>> = {
  up: {
    summary: "start everything on this machine that does not run yet",
    load: async () => (await import("./commands/up.ts")).upCommand,
  },
  down: {
    summary: "stop the containers, the engine, the daemon and the host on this machine",
    load: async () => (await import("./commands/down.ts")).downCommand,
  },
  status: {
    summary: "what runs, and what is under way",
    load: async () => (await import("./commands/status.ts")).statusCommand,
  },
  list: {
    summary: "all containers",
    load: async () => (await import("./commands/list.ts")).listCommand,
  },
  create: {
    summary: "make a container",
    load: async () => (await import("./commands/create.ts")).createCommand,
  },
  start: {
    summary: "boot a container",
    load: async () => (await import("./commands/start.ts")).startCommand,
  },
  stop: {
    summary: "stop a container",
    load: async () => (await import("./commands/stop.ts")).stopCommand,
  },
  delete: {
    summary: "delete a container and all that is in it",
    load: async () => (await import("./commands/delete.ts")).deleteCommand,
  },
  info: {
    summary: "what is known of one container",
    load: async () => (await import("./commands/info.ts")).infoCommand,
  },
  shell: {
    summary: "a shell in a container, or one program",
    load: async () => (await import("./commands/shell.ts")).shellCommand,
  },
  user: {
    summary: "the person of a container, or set it up for one",
    load: async () => (await import("./commands/user.ts")).userCommand,
  },
  timezone: {
    summary: "set the time zone of containers",
    load: async () => (await import("./commands/timezone.ts")).timezoneCommand,
  },
  upgrade: {
    summary: "turn a container into the next Debian release, or take that back",
    load: async () => (await import("./commands/upgrade.ts")).upgradeCommand,
  },
  debug: {
    summary: "what helps whoever looks for a fault",
    load: async () => (await import("./commands/debug.ts")).debugCommand,
  },
  export: {
    summary: "write a backup of a container to the shared folder",
    load: async () => (await import("./commands/export.ts")).exportCommand,
  },
  import: {
    summary: "make a container from a backup, or put one back",
    load: async () => (await import("./commands/import.ts")).importCommand,
  },
  ports: {
    summary: "the ports that programs in the containers listen on",
    load: async () => (await import("./commands/ports.ts")).portsCommand,
  },
  usb: {
    summary: "the USB ports; give one to a container, or take it away",
    load: async () => (await import("./commands/usb.ts")).usbCommand,
  },
  watch: {
    summary: "what happens, as it happens",
    load: async () => (await import("./commands/watch.ts")).watchCommand,
  },
  doctor: {
    summary: "check this machine and the set-up, and say what to do",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  machine: {
    summary: "a virtual machine with the guest's side in it",
    load: async () => (await import("./commands/machine.ts")).machineCommand,
  },
  daemon: {
    summary: "run the guest's side in the foreground",
    load: async () => (await import("./commands/daemon.ts")).daemonCommand,
  },
  host: {
    summary: "run the host's side in the foreground",
    load: async () => (await import("./commands/host.ts")).hostCommand,
  },
};

/** The program with the wanted command loaded and the others known by their summaries. */
export async function createProgram(wanted: string | undefined, io: Io): Promise<Command> {
  const program = new Command("tremplin")
    .description("Linux containers with a person's set-up, told step by step.")
    .version(version, "--version", "the version of this program")
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showHelpAfterError("(--help shows what is understood)")
    .enablePositionalOptions()
    .helpCommand("help [command]", "show what a command understands");
  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (name !== wanted) {
      program.command(name).description(summary);
      continue;
    }
    const create = await load();
    program.addCommand(create(io).copyInheritedSettings(program).description(summary));
  }
  return program;
}

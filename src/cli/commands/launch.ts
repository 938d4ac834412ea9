import { userInfo } from "node:os";
import { Command } from "commander";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { type Launched, Launching, type LaunchSource } from "./launching.ts";

interface Flags extends HostFlags {
  readonly debian?: string;
  readonly imageServer?: string;
  readonly alias?: string;
  readonly backup?: string;
  readonly user?: string;
}

export function launchCommand(io: Io): Command {
  const command = new Command("launch")
    .argument("[name]", "the container (default: penguin)", containerName)
    .option("--debian <release>", "build the image from Debian's packages: bullseye, bookworm or trixie")
    .option("--image-server <url>", "download the image from this simplestreams server")
    .option("--alias <alias>", "with --image-server: the alias of the image")
    .option("--backup <file>", "make it from a backup on this computer")
    .option("--user <user>", "the primary user (default: you)")
    .addHelpText(
      "after",
      "\nGive at most one of --debian, --image-server and --backup (default: --debian trixie).\nIt does only what is left to do: run it again after an interruption.",
    );
  return withHostFlags(command, "operation").action((name: string | undefined, flags: Flags) =>
    launch(name ?? "penguin", flags, io),
  );
}

/** Creates a container, its user, starts it and waits for its address, as far as that is left to do. */
async function launch(name: string, flags: Flags, io: Io): Promise<void> {
  const source = sourceOf(flags);
  const person = flags.user ?? callerName();
  const launched = await withSession(`launching ${name}`, flags, io, async (session) => {
    const launching = new Launching(session, {
      name,
      source,
      person,
      isPersonAsked: flags.user !== undefined,
    });
    try {
      return await launching.run();
    } catch (thrown) {
      throw withAdvice(TremplinError.from(thrown), launching.left, io);
    }
  });
  report(name, launched, flags, io);
}

function sourceOf({ debian, imageServer, alias, backup }: Flags): LaunchSource {
  const sources = [debian, imageServer ?? alias, backup].filter((each) => each !== undefined);
  const isServer = imageServer !== undefined && alias !== undefined;
  if (sources.length === 0) return { kind: "debian", release: "trixie", isAsked: false };
  if (sources.length === 1) {
    if (debian !== undefined) return { kind: "debian", release: debian, isAsked: true };
    if (backup !== undefined) return { kind: "backup", file: backup };
    if (isServer) return { kind: "server", imageServer, imageAlias: alias };
  }
  throw new TremplinError(
    "invalid",
    "use at most one of --debian RELEASE, --image-server URL with --alias ALIAS, and --backup FILE",
  );
}

/** The name of the person at the keyboard, if a container accepts it. */
export function callerName(env: NodeJS.ProcessEnv = process.env): string {
  const name = env.SUDO_USER ?? accountName();
  return name !== "root" && /^[a-z_][a-z0-9_-]{0,31}$/.test(name) ? name : "user";
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // A process may have an id that no account has.
    return "";
  }
}

/** An interrupted launch says what is left and how to go on. */
function withAdvice(error: TremplinError, left: readonly string[], io: Io): TremplinError {
  if (!io.interrupted.aborted || left.length === 0) return error;
  const sentence = `${error.message}; left to do: ${left.join(", ")}. Run the same command again to go on`;
  return new TremplinError("cancelled", sentence, error);
}

function report(name: string, { did, user, address, notes }: Launched, flags: Flags, io: Io): void {
  const shell = `${process.env.SUDO_USER ? "sudo " : ""}tremplin shell ${name}`;
  const result = did.length > 0 ? did.join(", ") : "runs already, nothing was left to do";
  if (flags.json) {
    io.out(jsonLine({ container: name, result, user, address, shell, notes: notes.map(plainText) }));
    return;
  }
  for (const note of notes) io.err(`${name}: ${plainText(note)}\n`);
  io.out(`${name}: ${result}${address ? `, at ${address}` : ""}\n`);
  io.out(`a shell in it, as ${plainText(user)}: ${shell}\n`);
}

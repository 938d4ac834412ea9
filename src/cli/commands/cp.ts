import { Command } from "commander";
import { checkContainerName } from "../../base/container-name.ts";
import { pathText } from "../../base/file-name.ts";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { fromContainers } from "../copy-files/from-containers.ts";
import { type Place, parsePlace } from "../copy-files/place.ts";
import { Tally } from "../copy-files/tally.ts";
import { toContainer } from "../copy-files/to-container.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import { withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly owner?: string;
}

/** How many of what was skipped are named. */
const MAX_NAMED = 20;

export function cpCommand(io: Io): Command {
  const command = new Command("cp")
    .argument("<file...>", "what to copy, then where to: paths of this computer, or NAME:PATH in a container")
    .option(
      "--owner <account>",
      "who gets what is copied into a container: a name, UID or UID:GID (default: its primary user, for what is new)",
    )
    .usage("[options] <source...> <destination>")
    .addHelpText(
      "after",
      "\nFolders are copied with all that is in them. A path that is not absolute is in the home of the primary user,\n" +
        "NAME: is that home. Files in the way are replaced. Works on stopped and running containers.",
    );
  return withHostFlags(command).action((paths: string[], flags: Flags) => cp(paths, flags, io));
}

async function cp(paths: readonly string[], flags: Flags, io: Io): Promise<void> {
  const places = paths.map(parsePlace);
  const target = places.pop();
  if (!target || places.length === 0) {
    throw new TremplinError("invalid", "where to? tremplin cp SOURCE... DESTINATION");
  }
  check(places, target, flags);
  const tally = new Tally();
  const path = await withSession(
    `copying to ${target.kind === "own" ? plainText(target.text) : target.container}`,
    flags,
    io,
    async (session) => {
      try {
        if (target.kind === "own") return await fromContainers(places, target, tally, session);
        return await toContainer(places, { ...target, owner: flags.owner ?? "" }, tally, session);
      } catch (thrown) {
        throw interruptedError(TremplinError.from(thrown), tally, io);
      }
    },
  );
  report(target.kind === "own" ? path : `${target.container}:${path}`, tally, flags, io);
}

function check(sources: readonly Place[], target: Place, flags: Flags): void {
  for (const place of [...sources, target])
    if (place.kind === "container") checkContainerName(place.container);
  if (target.kind === "container") return;
  if (flags.owner !== undefined) {
    throw new TremplinError("invalid", "--owner is for files that are copied into a container");
  }
  const own = sources.find(({ kind }) => kind === "own");
  if (!own) return;
  const sentence = `${plainText(own.text)} and ${plainText(target.text)} are both on this computer; a path in a container is NAME:PATH`;
  throw new TremplinError("invalid", sentence);
}

function interruptedError(error: TremplinError, tally: Tally, io: Io): TremplinError {
  if (!io.interrupted.aborted) return error;
  const sentence = `the copy was interrupted: ${tally.text} are there, each of them whole; run the same command again to copy all`;
  return new TremplinError("cancelled", sentence, error);
}

function report(path: string, tally: Tally, flags: Flags, io: Io): void {
  const { files, bytes, skipped } = tally;
  if (flags.json) {
    const left = skipped.map((each) => ({ path: pathText(each.path), reason: each.reason }));
    io.out(jsonLine({ path: plainText(path), files, bytes, skipped: left }));
  } else {
    for (const each of skipped.slice(0, MAX_NAMED)) {
      io.err(`skipped ${pathText(each.path)}: ${plainText(each.reason)}\n`);
    }
    if (skipped.length > MAX_NAMED) io.err(`skipped ${skipped.length - MAX_NAMED} more\n`);
    io.out(`copied ${tally.text}, to ${plainText(path)}\n`);
  }
  const failed = tally.unreadable;
  if (failed > 0) throw new TremplinError("failed", `${failed} of them could not be copied`);
}

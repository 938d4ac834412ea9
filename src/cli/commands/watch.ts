import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { followEvents } from "../host-client/follow-events.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";
import { noticeText } from "../text/notice-text.ts";

interface Flags extends HostFlags {
  readonly after?: number;
  readonly all?: true;
}

export function watchCommand(io: Io): Command {
  const command = new Command("watch")
    .option("--after <number>", "also what happened after the event of this number", wholeNumber)
    .option("--all", "also all that the host remembers");
  return withHostFlags(command).action((flags: Flags) => watch(flags, io));
}

async function watch(flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const after = flags.all ? 0 : flags.after;
  const following = await followEvents(api, {
    clock: io.clock,
    signal: io.interrupted,
    after: after === undefined ? undefined : BigInt(after),
    onAway: (reason) => io.err(reason ? `${reason}; trying again\n` : "the host is back\n"),
    onMissed: (from, to) => {
      // Whoever asks for all takes what there is.
      if (!flags.all) io.err(`events ${from} to ${to} are no longer kept\n`);
    },
  });
  try {
    for await (const event of following.events) {
      io.out(flags.json ? `${JSON.stringify(toJson(EventSchema, event))}\n` : line(event));
    }
  } catch (thrown) {
    if (!io.interrupted.aborted) throw thrown;
    throw new TremplinError("cancelled", `tremplin watch --after ${following.newest} goes on from here`);
  }
}

function line(event: Event): string {
  const time = event.time ? timestampDate(event.time).toISOString() : "";
  const text = noticeText(event);
  const words = [text?.container, text?.words ?? event.notice.case ?? "unknown"].filter(Boolean).join(": ");
  return `${event.sequence}  ${time}  ${event.guest}  ${words}\n`;
}

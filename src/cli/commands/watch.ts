import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Command } from "commander";
import { jsonLine } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Event, EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import { noticeText } from "../../host/notice-text.ts";
import { type HostFlags, wholeNumber, withHostFlags } from "../flags/host-flags.ts";
import { since } from "../flags/since.ts";
import { followEvents } from "../host-client/follow-events.ts";
import { HostApi } from "../host-client/host-api.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly after?: number;
  readonly all?: true;
  readonly since?: string;
  readonly once?: true;
}

export function watchCommand(io: Io): Command {
  const command = new Command("watch")
    .option("--after <number>", "begin after the event with this number", wholeNumber)
    .option("--since <time>", "begin with the events since then: 1h, 2d, 2026-11-30")
    .option("--all", "begin with the oldest event that the host keeps")
    .option("--once", "end after the events that the host has now; alone it prints all of them");
  return withHostFlags(command, "events").action((flags: Flags) => watch(flags, io));
}

async function watch(flags: Flags, io: Io): Promise<void> {
  using api = HostApi.open(flags);
  const isFromOldest = flags.all || (flags.once && flags.after === undefined && flags.since === undefined);
  const after = isFromOldest ? 0 : flags.after;
  const following = await followEvents(api, {
    clock: io.clock,
    signal: io.interrupted,
    after: after === undefined ? undefined : BigInt(after),
    since: flags.since === undefined ? undefined : since(flags.since, io.clock.now()),
    once: flags.once === true,
    onOutage: (reason) => io.err(reason ? `${reason}; reconnecting\n` : "the host is back\n"),
    onMissed: (from, to) => {
      if (!isFromOldest) io.err(`the host no longer keeps events ${from} to ${to}\n`);
    },
  });
  try {
    for await (const event of following.events) {
      io.out(flags.json ? jsonLine(toJson(EventSchema, event)) : line(event));
    }
  } catch (thrown) {
    if (!io.interrupted.aborted) throw thrown;
    throw new TremplinError("cancelled", `continue with tremplin watch --after ${following.newest}`);
  }
}

function line(event: Event): string {
  const time = event.time ? timestampDate(event.time).toISOString() : "";
  const notice = noticeText(event);
  const sentence = [notice?.container, notice?.text ?? event.notice.case ?? "unknown"]
    .filter(Boolean)
    .join(": ");
  return `${event.sequence}  ${time}  ${event.guest}  ${sentence}\n`;
}

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Logger } from "../../base/logger.ts";
import { EventSchema } from "../../contract/tremplin/v1/host_pb.js";
import type { EventInput, EventTable } from "./event-table.ts";

/** The files of the first versions: JSON lines, named by the first sequence number in them. */
const NAME = /^events\.(\d+)\.jsonl$/;

/**
 * Takes over the events of an earlier version, with their numbers, and deletes its files once `makeDurable` resolves.
 * After a kill it continues where it was. Lines that are damaged are left out.
 */
export async function importOldLog(
  folder: string,
  events: EventTable,
  makeDurable: () => Promise<void>,
  log: Logger,
): Promise<void> {
  const firsts = (await readdir(folder))
    .map((name) => NAME.exec(name)?.[1])
    .filter((first) => first !== undefined);
  firsts.sort((a, b) => Number(a) - Number(b));
  for (const first of firsts) {
    const path = join(folder, `events.${first}.jsonl`);
    const inputs = (await readFile(path, "utf8")).split("\n").flatMap((line) => decodeLine(line) ?? []);
    const { newest } = events;
    events.insert(
      inputs.filter(({ event }) => Number(event.sequence) > newest),
      undefined,
    );
    // The name counts also when the file is empty: its number was never given to an event.
    events.beginAfter(Number(first) - 1);
    await makeDurable();
    await rm(path);
    log.info({ file: path, events: inputs.length }, "the events of an earlier version were taken over");
  }
}

function decodeLine(line: string): EventInput | undefined {
  try {
    const { notice, event: json } = JSON.parse(line) as { notice: string; event: JsonValue };
    const event = fromJson(EventSchema, json, { ignoreUnknownFields: true });
    const id = notice.startsWith(`${event.guest}/`) ? notice.slice(event.guest.length + 1) : "";
    return { event, time: event.time ? timestampMs(event.time) : 0, id };
  } catch {
    return undefined;
  }
}

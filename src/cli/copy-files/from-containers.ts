import { TremplinError } from "../../base/tremplin-error.ts";
import { type FileItem, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Session } from "../host-client/session.ts";
import type { Place } from "./place.ts";
import { SourceNames } from "./source-names.ts";
import type { Tally } from "./tally.ts";
import { OwnReceiver } from "./write-own.ts";

/** Copies files of containers to this computer. Returns the whole path of what they became, or of their folder. */
export async function fromContainers(
  sources: readonly Place[],
  target: Place,
  tally: Tally,
  session: Session,
): Promise<string> {
  const { api, io } = session;
  using opened = new DisposableStack();
  let receiver: OwnReceiver | undefined;
  const settings = { signal: io.interrupted };
  const names = new SourceNames();
  for (const source of sources) {
    if (source.kind === "own") continue;
    let isFirst = true;
    const request = { containerName: source.container, path: new Uint8Array(Buffer.from(source.path)) };
    for await (const { items } of api.stream(Guest.method.readFiles, request, settings)) {
      // Nothing is made here for what is not there.
      receiver ??= opened.use(await OwnReceiver.open(target.path, sources.length > 1));
      for (const item of items) {
        if (isFirst) names.add(item);
        isFirst = false;
        await takeItem(item, receiver, tally, sources.length === 1);
      }
      tally.show(session);
    }
    receiver?.finish();
  }
  return receiver?.path ?? target.path;
}

async function takeItem(
  { item }: FileItem,
  receiver: OwnReceiver,
  tally: Tally,
  isOnlySource: boolean,
): Promise<void> {
  if (item.case === undefined)
    throw new TremplinError("failed", "the guest is newer than this program: upgrade it");
  if (item.case === "skipped") tally.skip(item.value);
  if (item.case === "file" && isOnlySource && receiver.isAtTop) tally.total = Number(item.value.size);
  await receiver.take(item);
  tally.files = receiver.files;
  tally.bytes = receiver.bytes;
}

import { posix } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type WriteFilesInputSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { fileBatches } from "../../transport/file-batches.ts";
import type { Session } from "../host-client/session.ts";
import type { Place } from "./place.ts";
import { type Amount, type Item, measureOwn, readOwn } from "./read-own.ts";
import { SourceNames } from "./source-names.ts";
import type { Tally } from "./tally.ts";

type Input = MessageInitShape<typeof WriteFilesInputSchema>;
type ContainerPlace = Extract<Place, { kind: "container" }>;
interface Target extends ContainerPlace {
  readonly owner: string;
}

/** How long the guest has to remove what is unfinished after Ctrl-C. */
const GRACE_MS = 5_000;

/** Copies files into a container. Returns the whole path of what they became, or of their folder. */
export async function toContainer(
  sources: readonly Place[],
  target: Target,
  tally: Tally,
  session: Session,
): Promise<string> {
  const { api, io } = session;
  const total = await measureAll(sources, session);
  tally.total = total?.bytes;
  const placed = Promise.withResolvers<string>();
  const inputs = inputsOf(sources, target, {
    tally,
    session,
    placed: placed.promise,
    bytes: total?.bytes ?? 0,
  });
  using grace = afterInterrupt(io.interrupted);
  let path = "";
  try {
    for await (const output of api.bidiStream(Guest.method.writeFiles, inputs, { signal: grace.signal })) {
      path = Buffer.from(output.path).toString();
      placed.resolve(path);
      tally.files = Number(output.files);
      tally.bytes = Number(output.bytes);
      tally.show(session);
      if (output.done) return path;
    }
  } finally {
    placed.resolve("");
  }
  throw new TremplinError("failed", "the guest ended the copy before its end; copy again");
}

/** How much there is; undefined where a container has some of it. Throws for a path that is not there. */
async function measureAll(sources: readonly Place[], { io }: Session): Promise<Amount | undefined> {
  const amount: Amount = { files: 0, bytes: 0 };
  for (const { kind, path } of sources) if (kind === "own") await measureOwn(path, amount, io.interrupted);
  return sources.every(({ kind }) => kind === "own") ? amount : undefined;
}

interface Sending {
  readonly tally: Tally;
  readonly session: Session;
  /** The whole path that they get. */
  readonly placed: Promise<string>;
  readonly bytes: number;
}

async function* inputsOf(
  sources: readonly Place[],
  target: Target,
  sending: Sending,
): AsyncGenerator<Input, void, void> {
  const { container, path, owner } = target;
  const intoFolder = sources.length > 1 || /(^|\/)\.?$/.test(path);
  const start = {
    containerName: container,
    path: bytesOf(path),
    owner,
    intoFolder,
    totalBytes: BigInt(sending.bytes),
  };
  yield { input: { case: "start", value: start } };
  const { interrupted } = sending.session.io;
  const names = new SourceNames();
  try {
    for (const source of sources) {
      for await (const items of fileBatches(itemsOf(source, target, sending, names))) {
        interrupted.throwIfAborted();
        yield { input: { case: "items", value: { items } } };
      }
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
    yield { input: { case: "cancel", value: true } };
    return;
  }
  yield { input: { case: "done", value: true } };
}

async function* itemsOf(
  source: Place,
  target: Target,
  sending: Sending,
  names: SourceNames,
): AsyncGenerator<Item, void, void> {
  let isFirst = true;
  const items = source.kind === "own" ? readOwn(source.path) : readContainer(source, target, sending);
  for await (const item of items) {
    if (isFirst) names.add(item);
    isFirst = false;
    if (item.item?.case === "skipped") sending.tally.skip(item.item.value);
    yield item;
  }
}

async function* readContainer(
  source: ContainerPlace,
  target: Target,
  { session: { api, io }, placed }: Sending,
): AsyncGenerator<Item, void, void> {
  const request = { containerName: source.container, path: bytesOf(source.path) };
  const answers = api.stream(Guest.method.readFiles, request, { signal: io.interrupted });
  for await (const { items, path } of answers) {
    const from = Buffer.from(path).toString();
    if (from !== "" && source.container === target.container && isSame(await placed, from)) {
      throw new TremplinError("failed", `${source.text} cannot be copied into itself`);
    }
    yield* items;
  }
}

/** Whether what is copied would get its own place, or one in itself. */
function isSame(path: string, from: string): boolean {
  return path === from || path === posix.dirname(from) || path.startsWith(from === "/" ? "/" : `${from}/`);
}

/** Aborts some time after Ctrl-C, for a guest that does not end. */
function afterInterrupt(interrupted: AbortSignal) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(interrupted.reason), GRACE_MS);
  };
  interrupted.addEventListener("abort", begin, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      clearTimeout(timer);
      interrupted.removeEventListener("abort", begin);
    },
  };
}

function bytesOf(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(path));
}

import { posix } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { abortable } from "../../base/async/abortable.ts";
import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type {
  Guest,
  ReadFilesRequest,
  ReadFilesResponseSchema,
  WriteFilesInput,
  WriteFilesOutputSchema,
} from "../../contract/tremplin/v1/guest_pb.js";
import type { FileSession } from "../../engine/files/file-session.ts";
import { fileBatches } from "../../transport/file-batches.ts";
import { getContainer } from "../containers/find-container.ts";
import { isUnprovisioned, markProvisioned } from "../containers/provisioned-mark.ts";
import { fileError } from "../copy-files/file-error.ts";
import { GivingWay } from "../copy-files/giving-way.ts";
import { openTarget } from "../copy-files/open-target.ts";
import { bytesOf, personOf, wholePath } from "../copy-files/place.ts";
import { TreeReceiver } from "../copy-files/receive-tree.ts";
import { sendTree } from "../copy-files/send-tree.ts";
import type { RpcDeps } from "./rpc.ts";

type Deps = Pick<RpcDeps, "engine" | "runner">;
type Handlers = Pick<ServiceImpl<typeof Guest>, "readFiles" | "writeFiles">;

/** The longest that the engine may take for one answer: a pipe in the place of a file hangs for ever. */
const STALL_MS = 30_000;
/** How long a copy that has to end may remove what is unfinished. */
const CLEAN_UP_MS = 2_000;

/** Files and folders between a container and the caller (docs/daily.md#copy-files). */
export function copyFiles(deps: Deps): Handlers {
  return {
    readFiles: (request, context) => readFiles(deps, request, context),
    writeFiles: (inputs, context) => writeFiles(deps, inputs, context),
  };
}

async function* readFiles(
  deps: Deps,
  { containerName, path: wanted }: ReadFilesRequest,
  { signal: outer }: Pick<HandlerContext, "signal">,
): AsyncGenerator<MessageInitShape<typeof ReadFilesResponseSchema>, void, void> {
  using way = await beginCopy(deps, containerName, outer);
  using files = await openFiles(deps, containerName, way.signal);
  const path = wholePath(wanted, await personOf(files));
  const info = await files.stat(path).catch(async (error) => {
    throw await fileError(error, files, { container: containerName, path, verb: "read" });
  });
  if (info.type === "special") {
    throw new TremplinError(
      "failed",
      `${path} in ${containerName} is a pipe, a socket or a device, which cannot be copied`,
    );
  }
  // Also while the caller does not take what was read.
  way.signal.addEventListener("abort", () => files[Symbol.dispose](), { once: true });
  try {
    yield { path: bytesOf(path) };
    const items = sendTree(files, path, posix.basename(path) || containerName, info);
    for await (const batch of fileBatches(items)) {
      way.signal.throwIfAborted();
      yield { items: batch };
    }
  } catch (error) {
    way.signal.throwIfAborted();
    throw error;
  }
}

async function* writeFiles(
  deps: Deps,
  inputs: AsyncIterable<WriteFilesInput>,
  { signal: outer }: Pick<HandlerContext, "signal">,
): AsyncGenerator<MessageInitShape<typeof WriteFilesOutputSchema>, void, void> {
  const source = inputs[Symbol.asyncIterator]();
  const first: WriteFilesInput | undefined = (await source.next()).value;
  if (first?.input.case !== "start") {
    throw new TremplinError("invalid", "the first input of a copy must be start");
  }
  const start = first.input.value;
  const { containerName } = start;
  using way = await beginCopy(deps, containerName, outer);
  using files = await openFiles(deps, containerName, way.signal);
  await keepContent(deps, containerName, way.signal);
  // A create that has begun meanwhile may have decided before that.
  way.check();
  const { path, target } = await openTarget(files, start);
  const receiver = new TreeReceiver(files, target);
  const report = () => ({
    path: bytesOf(path),
    files: BigInt(receiver.files),
    bytes: BigInt(receiver.bytes),
  });
  way.signal.addEventListener(
    "abort",
    () => void setTimeout(() => files[Symbol.dispose](), CLEAN_UP_MS).unref(),
    {
      once: true,
    },
  );
  try {
    yield report();
    for await (const items of itemsOf(source, way.signal)) {
      for (const item of items) await receiver.take(item);
      yield report();
    }
    await receiver.finish();
  } finally {
    await receiver.discard();
  }
  yield { ...report(), done: true };
}

/** What the caller sends, until it says that this is all. Throws `cancelled` where it says otherwise, or stops. */
async function* itemsOf(source: AsyncIterator<WriteFilesInput>, signal: AbortSignal) {
  for (;;) {
    const { done, value } = await abortable(source.next(), signal);
    if (done) throw new TremplinError("cancelled", "the copy ended before all was sent");
    const { input } = value as WriteFilesInput;
    if (input.case === "done") return;
    if (input.case === "cancel") throw new TremplinError("cancelled", "the copy was cancelled");
    if (input.case === "items") yield input.value.items;
  }
}

async function beginCopy({ engine, runner }: Deps, name: string, signal: AbortSignal): Promise<GivingWay> {
  checkContainerName(name);
  await getContainer(engine.running(), name, signal);
  return new GivingWay(runner.locks, name, signal);
}

/** A create replaces a container that was never provisioned, but not what a person has copied into it. */
async function keepContent({ engine }: Deps, name: string, signal: AbortSignal): Promise<void> {
  const running = engine.running();
  const found = await getContainer(running, name, signal);
  if (await isUnprovisioned(running, found, signal)) await markProvisioned(running, name, signal);
}

/** The end of the call does not end the session: what is unfinished must still be removed. */
async function openFiles({ engine }: Deps, name: string, signal: AbortSignal): Promise<FileSession> {
  signal.throwIfAborted();
  return await engine.running().fileSession(name, { stallMs: STALL_MS });
}

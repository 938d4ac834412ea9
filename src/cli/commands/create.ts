import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, PrepareImageProgressSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { CreateContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { type Answer, runOperation, type Session } from "../host-client/operation.ts";
import { reportResult, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";
import { plainText } from "../text/text.ts";

interface Flags extends HostFlags {
  readonly debian?: string;
  readonly imageServer?: string;
  readonly alias?: string;
  readonly rootfs?: string;
  readonly metadata?: string;
}

/** Where a container comes from, as the contract has it. */
type Source =
  | { readonly imageServer: string; readonly imageAlias: string }
  | { readonly rootfsPath: string; readonly metadataPath: string };

export function createCommand(io: Io): Command {
  const command = new Command("create")
    .argument("<name>", "what the container is to be called")
    .option("--debian <release>", "from Debian's own packages: bullseye, bookworm, trixie")
    .option("--image-server <url>", "from a simplestreams server ...")
    .option("--alias <alias>", "... the image of this alias")
    .option("--rootfs <path>", "from a tarball in the shared folder of the guest ...")
    .option("--metadata <path>", "... and its metadata tarball");
  return withHostFlags(command).action((container: string, flags: Flags) => create(container, flags, io));
}

async function create(container: string, flags: Flags, io: Io): Promise<void> {
  const given = givenSource(flags);
  const title = `creating ${container}`;
  const outcome = await withSession(title, flags, io, async (session) => {
    const source = given ?? (await prepareImage(flags.debian as string, session));
    const ask = (api: HostApi, settings: CallSettings) => askToCreate(api, container, source, settings);
    return await runOperation(session, { title, kind: "create", container, mustExist: false, ask });
  });
  reportResult(container, outcome, flags, io);
}

/** What the flags say; undefined where the image is to be built first. Throws unless exactly one way is named. */
function givenSource({ debian, imageServer, alias, rootfs, metadata }: Flags): Source | undefined {
  const ways = [debian, imageServer ?? alias, rootfs ?? metadata].filter((way) => way !== undefined);
  if (ways.length === 1) {
    if (debian) return undefined;
    if (imageServer && alias) return { imageServer, imageAlias: alias };
    if (rootfs && metadata) return { rootfsPath: rootfs, metadataPath: metadata };
  }
  throw new TremplinError(
    "invalid",
    "say from what, in one way: --debian RELEASE, or --image-server URL --alias ALIAS, or --rootfs PATH --metadata PATH",
  );
}

async function prepareImage(debianRelease: string, { api, io, progress, json }: Session): Promise<Source> {
  const signal = io.interrupted;
  try {
    for await (const step of api.stream(Guest.method.prepareImage, { debianRelease }, { signal })) {
      if (json) io.out(`${JSON.stringify({ image: toJson(PrepareImageProgressSchema, step) })}\n`);
      progress.step(`image: ${plainText(step.message)}`, step.percent);
      const { rootfsPath, metadataPath } = step;
      if (rootfsPath && metadataPath) return { rootfsPath, metadataPath };
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new TremplinError("cancelled", "interrupted while the image was built; no container was asked for");
  }
  throw new TremplinError("failed", `the guest ended without an image of ${debianRelease}`);
}

async function askToCreate(
  api: HostApi,
  containerName: string,
  source: Source,
  settings: CallSettings,
): Promise<Answer> {
  const request = { containerName, ...source };
  const { status, failureReason } = await api.call(Tremplin.method.createContainer, request, settings);
  switch (status) {
    case Status.CREATING:
      return { kind: "accepted" };
    case Status.EXISTS:
      return { kind: "already", words: "exists already; it was left as it is" };
    default:
      return { kind: "refused", reason: failureReason };
  }
}

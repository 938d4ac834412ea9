import { toJson } from "@bufbuild/protobuf";
import { Command } from "commander";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Guest, PrepareImageProgressSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { CreateContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { type Reply, runOperation } from "../host-client/run-operation.ts";
import { reportResult, type Session, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly debian?: string;
  readonly imageServer?: string;
  readonly alias?: string;
  readonly rootfs?: string;
  readonly metadata?: string;
}

/** The source of a container's image, as the contract has it. */
type Source =
  | { readonly imageServer: string; readonly imageAlias: string }
  | { readonly rootfsPath: string; readonly metadataPath: string };

export function createCommand(io: Io): Command {
  const command = new Command("create")
    .argument("<name>", "the name of the new container", containerName)
    .option("--debian <release>", "build the image from Debian's packages: bullseye, bookworm or trixie")
    .option("--image-server <url>", "download the image from this simplestreams server")
    .option("--alias <alias>", "with --image-server: the alias of the image")
    .option("--rootfs <path>", "use this root filesystem tarball from the guest's shared folder")
    .option("--metadata <path>", "with --rootfs: the metadata tarball")
    .addHelpText("after", "\nGive exactly one source: --debian, --image-server or --rootfs.");
  return withHostFlags(command, "operation").action((container: string, flags: Flags) =>
    create(container, flags, io),
  );
}

async function create(container: string, flags: Flags, io: Io): Promise<void> {
  const named = sourceOf(flags);
  const title = `creating ${container}`;
  const outcome = await withSession(title, flags, io, async (session) => {
    const source = named ?? (await buildImage(container, flags.debian as string, session));
    const request = (api: HostApi, settings: CallSettings) => requestCreate(api, container, source, settings);
    return await runOperation(session, { title, kind: "create", container, mustExist: false, request });
  });
  reportResult(container, outcome, flags, io);
}

/** The source that the flags name; undefined where the image must be built first. Throws `invalid` unless they name exactly one. */
function sourceOf({ debian, imageServer, alias, rootfs, metadata }: Flags): Source | undefined {
  const sources = [debian, imageServer ?? alias, rootfs ?? metadata].filter((source) => source !== undefined);
  if (sources.length === 1) {
    if (debian) return undefined;
    if (imageServer && alias) return { imageServer, imageAlias: alias };
    if (rootfs && metadata) return { rootfsPath: rootfs, metadataPath: metadata };
  }
  throw new TremplinError(
    "invalid",
    "use exactly one of --debian RELEASE, --image-server URL with --alias ALIAS, and --rootfs PATH with --metadata PATH",
  );
}

/** Building takes minutes, so this looks first whether the name is free. */
async function buildImage(container: string, release: string, session: Session): Promise<Source> {
  const settings = { signal: session.io.interrupted, timeout: 30_000 };
  const { containers } = await session.api.call(
    Guest.method.listContainers,
    { withUnprovisioned: true },
    settings,
  );
  const existing = containers.find(({ name }) => name === container);
  if (existing && !existing.unprovisioned) throw existsError(container, existing.image);
  return await prepareImage(release, session);
}

/** A container that exists may be of another image, so the command has not done what it was asked for. */
function existsError(container: string, image = ""): TremplinError {
  const which = image
    ? `${container} already exists, with ${plainText(image)}`
    : `${container} already exists`;
  const advice = `choose another name, or delete it first with tremplin delete ${container}`;
  return new TremplinError("exists", `${which}; nothing was changed: ${advice}`);
}

async function prepareImage(debianRelease: string, { api, io, progress, json }: Session): Promise<Source> {
  const signal = io.interrupted;
  try {
    for await (const step of api.stream(Guest.method.prepareImage, { debianRelease }, { signal })) {
      if (json) io.out(jsonLine({ image: toJson(PrepareImageProgressSchema, step) }));
      progress.update(`image: ${plainText(step.message)}`, step.percent);
      const { rootfsPath, metadataPath } = step;
      if (rootfsPath && metadataPath) return { rootfsPath, metadataPath };
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new TremplinError("cancelled", "interrupted while the image was built; no container was created");
  }
  throw new TremplinError("failed", `the guest ended the stream without an image of ${debianRelease}`);
}

async function requestCreate(
  api: HostApi,
  containerName: string,
  source: Source,
  settings: CallSettings,
): Promise<Reply> {
  const request = { containerName, ...source };
  const { status, failureReason } = await api.call(Tremplin.method.createContainer, request, settings);
  switch (status) {
    case Status.CREATING:
      return { kind: "accepted" };
    case Status.EXISTS:
      throw existsError(containerName);
    default:
      return { kind: "refused", reason: failureReason };
  }
}

import { Command } from "commander";
import { TremplinError } from "../../base/tremplin-error.ts";
import { containerName } from "../flags/container-argument.ts";
import { type HostFlags, withHostFlags } from "../flags/host-flags.ts";
import {
  existsError,
  type ImageSource,
  lookForContainer,
  prepareImage,
  requestCreate,
} from "../host-client/create-container.ts";
import type { CallSettings, HostApi } from "../host-client/host-api.ts";
import { runOperation } from "../host-client/run-operation.ts";
import { reportResult, type Session, withSession } from "../host-client/session.ts";
import type { Io } from "../io.ts";

interface Flags extends HostFlags {
  readonly debian?: string;
  readonly imageServer?: string;
  readonly alias?: string;
  readonly rootfs?: string;
  readonly metadata?: string;
}

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
function sourceOf({ debian, imageServer, alias, rootfs, metadata }: Flags): ImageSource | undefined {
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
async function buildImage(container: string, release: string, session: Session): Promise<ImageSource> {
  const existing = await lookForContainer(session, container);
  if (existing && !existing.unprovisioned) throw existsError(container, existing.image);
  return await prepareImage(release, session);
}

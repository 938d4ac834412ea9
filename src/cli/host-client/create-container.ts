import { toJson } from "@bufbuild/protobuf";
import { jsonLine, plainText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type Container, Guest, PrepareImageProgressSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { CreateContainerResponse_Status as Status, Tremplin } from "../../contract/tremplin_pb.js";
import type { CallSettings, HostApi } from "./host-api.ts";
import type { Reply } from "./run-operation.ts";
import type { Session } from "./session.ts";

/** The source of a container's image, as the contract has it. */
export type ImageSource =
  | { readonly imageServer: string; readonly imageAlias: string }
  | { readonly rootfsPath: string; readonly metadataPath: string };

/** The container of that name on the chosen guest, with `unprovisioned`; undefined where there is none. */
export async function lookForContainer({ api, io }: Session, name: string): Promise<Container | undefined> {
  const settings = { signal: io.interrupted, timeout: 30_000 };
  const { containers } = await api.call(Guest.method.listContainers, { withUnprovisioned: true }, settings);
  return containers.find((each) => each.name === name);
}

/** A container that exists may be of another image, so the command has not done what it was asked for. */
export function existsError(container: string, image = ""): TremplinError {
  const which = image
    ? `${container} already exists, with ${plainText(image)}`
    : `${container} already exists`;
  const advice = `choose another name, or delete it first with tremplin delete ${container}`;
  return new TremplinError("exists", `${which}; nothing was changed: ${advice}`);
}

/** Builds the image of a release, unless the guest has it. */
export async function prepareImage(
  debianRelease: string,
  { api, io, progress, json }: Session,
): Promise<ImageSource> {
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

export async function requestCreate(
  api: HostApi,
  containerName: string,
  source: ImageSource,
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

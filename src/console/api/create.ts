import { TremplinError } from "../../base/tremplin-error.ts";
import { CreateContainerResponse_Status as Create } from "../../contract/tremplin_pb.js";
import { accept, type Target } from "./actions.ts";
import { guestService, onGuest, tremplin } from "./host.ts";

/** Where the image of a new container comes from. */
export type Source =
  | { readonly kind: "debian"; readonly release: string }
  | { readonly kind: "server"; readonly url: string; readonly alias: string };

/** Builds or names the image, and begins to create the container. */
export async function create(
  target: Target,
  source: Source,
  onStep: (message: string, percent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  if (source.kind === "server") {
    return await begin(target, { imageServer: source.url, imageAlias: source.alias });
  }
  const { headers } = onGuest(target.guest);
  const request = { debianRelease: source.release };
  for await (const step of guestService.prepareImage(request, { headers: headers ?? {}, signal })) {
    onStep(step.message, step.percent);
    const { rootfsPath, metadataPath } = step;
    if (rootfsPath && metadataPath) return await begin(target, { rootfsPath, metadataPath });
  }
  throw new TremplinError("failed", `The guest ended without an image of ${source.release}; try again`);
}

async function begin({ guest, name }: Target, image: Readonly<Record<string, string>>): Promise<void> {
  const answer = await tremplin.createContainer({ containerName: name, ...image }, onGuest(guest));
  if (answer.status === Create.EXISTS)
    throw new TremplinError("failed", `There is a container ${name} already; choose another name`);
  accept(answer, Create.CREATING);
}

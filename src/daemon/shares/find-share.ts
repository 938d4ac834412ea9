import { TremplinError } from "../../base/tremplin-error.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { type ShareDevice, sharesOf } from "../containers/share-mark.ts";
import { resolveSource } from "./source-folder.ts";

/** The one share that a person means. */
export async function findShare({ name, devices }: Instance, place: string): Promise<ShareDevice> {
  const shares = sharesOf(devices);
  const source = await resolveSource(place, []).catch(() => place);
  const found = shares.filter((share) => share.path === place);
  const bySource = shares.filter((share) => share.source === place || share.source === source);
  const [share, ...others] = found.length > 0 ? found : bySource;
  if (!share) {
    throw new TremplinError(
      "not-found",
      `${name} has no share ${place}; tremplin shares ${name} lists those that it has`,
    );
  }
  if (others.length === 0) return share;
  const paths = bySource.map(({ path }) => path).join(", ");
  throw new TremplinError("invalid", `${name} has ${place} at several paths: ${paths}; name one of them`);
}

/** Throws `exists` where a share would take the place of one of another folder, and nobody has named that place. */
export function checkReplaced(name: string, before: readonly ShareDevice[], source: string): void {
  const other = before.find((share) => share.source !== source);
  if (!other) return;
  const advice = `name another path, or this one to replace it: tremplin share ${name} ${source} PATH`;
  throw new TremplinError("exists", `${other.path} in ${name} shows ${other.source}; ${advice}`);
}

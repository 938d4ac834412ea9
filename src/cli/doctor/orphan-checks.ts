import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type Engine,
  Orphan_Kind as Kind,
  type ListOrphansResponse,
  type Orphan,
} from "../../contract/tremplin/v1/guest_pb.js";
import { findFlavor, flavors } from "../../engine/flavors/flavors.ts";
import { type Finding, goodFinding, noteFinding } from "./finding.ts";

const NAME = "orphans";

/** Orphaned objects in the engine, each with the command that shows it and the one that removes it. Removes nothing. */
export function orphanChecks(
  found: ListOrphansResponse | TremplinError,
  engine: Engine | undefined,
): Finding[] {
  if (found instanceof TremplinError) return [noteFinding(NAME, found.message, "nothing to do")];
  if (found.orphans.length === 0) return [goodFinding(NAME, "none")];
  const client = clientOf(engine);
  return found.orphans.map((orphan) => noteFinding(NAME, what(orphan), advice(orphan, client)));
}

function what({ kind, name, containerName, operation }: Orphan): string {
  const whose = operation ? `operation ${operation}, which has ended` : "an operation of an older daemon";
  switch (kind) {
    case Kind.REPLACED_CONTAINER:
      return `the container ${name} is one that an import was about to replace (${whose})`;
    case Kind.SNAPSHOT:
      return `the snapshot ${name} of ${containerName} is of ${whose}`;
    case Kind.IMAGE:
      return `the image ${name.slice(0, 12)} is of ${whose}`;
    default:
      return operation
        ? `the container ${name} is of ${whose}`
        : `the container ${name} has a name that older daemons used for operations; it may also be one that you created`;
  }
}

function advice({ kind, name, containerName, operation }: Orphan, client: string): string {
  const show = (args: string) => `on the guest, ${client} ${args} shows it`;
  const restore = () => `${show(`info ${name}`)}; to use it again, ${client} rename ${name} NAME`;
  switch (kind) {
    case Kind.REPLACED_CONTAINER:
      return restore();
    case Kind.SNAPSHOT:
      return `${show(`info ${containerName}`)}, ${client} delete ${containerName}/${name} removes it`;
    case Kind.IMAGE:
      return `${show(`image info ${name.slice(0, 12)}`)}, ${client} image delete ${name.slice(0, 12)} removes it`;
    default:
      // A user may have chosen this name: it has no id of an operation.
      if (!operation) return restore();
      return `${show(`info ${name}`)}, ${client} delete ${name} removes it`;
  }
}

/** The command line client of the engine, with the variable that selects its socket. */
function clientOf(engine: Engine | undefined): string {
  const { name, socketVariable } = (findFlavor(engine?.kind) ?? flavors[0]).client;
  const socket = engine?.socket ?? "";
  return socket.startsWith("/") ? `sudo ${socketVariable}=${socket} ${name}` : name;
}

import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type Engine,
  Orphan_Kind as Kind,
  type ListOrphansResponse,
  type Orphan,
} from "../../contract/tremplin/v1/guest_pb.js";
import { findFlavor, flavors } from "../../engine/flavors/flavors.ts";
import { type Finding, good, note } from "./finding.ts";

const NAME = "orphans";

/** What operations left in the engine, each with what shows it and what removes it. Nothing is removed from here. */
export function orphanChecks(
  found: ListOrphansResponse | TremplinError,
  engine: Engine | undefined,
): Finding[] {
  if (found instanceof TremplinError) return [note(NAME, found.message, "nothing to do")];
  if (found.orphans.length === 0) return [good(NAME, "no operation has left anything in the engine")];
  const client = clientOf(engine);
  return found.orphans.map((orphan) => note(NAME, what(orphan), advice(orphan, client)));
}

function what({ kind, name, containerName, operation }: Orphan): string {
  const whose = operation ? `operation ${operation}, which is over` : "an operation of an older daemon";
  switch (kind) {
    case Kind.REPLACED_CONTAINER:
      return `the container ${name} is one that an import was to replace: of ${whose}`;
    case Kind.SNAPSHOT:
      return `the snapshot ${name} of ${containerName} is left of ${whose}`;
    case Kind.IMAGE:
      return `the image ${name.slice(0, 12)} is left of ${whose}`;
    default:
      return operation
        ? `the container ${name} is left of ${whose}`
        : `the container ${name} has a name that older daemons used: left of an operation, or somebody's own`;
  }
}

function advice({ kind, name, containerName, operation }: Orphan, client: string): string {
  const show = (words: string) => `on the guest, ${client} ${words} shows it`;
  const bringBack = () =>
    `${show(`info ${name}`)}; where it is missed, ${client} rename ${name} NAME brings it back`;
  switch (kind) {
    case Kind.REPLACED_CONTAINER:
      return bringBack();
    case Kind.SNAPSHOT:
      return `${show(`info ${containerName}`)}, ${client} delete ${containerName}/${name} removes it`;
    case Kind.IMAGE:
      return `${show(`image info ${name.slice(0, 12)}`)}, ${client} image delete ${name.slice(0, 12)} removes it`;
    default:
      // A name alone, without the id of an operation, may be one that a person gave.
      if (!operation) return bringBack();
      return `${show(`info ${name}`)}, ${client} delete ${name} removes it`;
  }
}

/** The engine's own command line, as it reaches this engine. */
function clientOf(engine: Engine | undefined): string {
  const { name, socketVariable } = (findFlavor(engine?.kind) ?? flavors[0]).client;
  const socket = engine?.socket ?? "";
  return socket.startsWith("/") ? `sudo ${socketVariable}=${socket} ${name}` : name;
}

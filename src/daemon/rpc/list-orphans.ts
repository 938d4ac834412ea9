import { basename } from "node:path";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { errorMessage } from "../../base/tremplin-error.ts";
import { Orphan_Kind as Kind, type ListOrphansRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { setAsideRecords } from "../notices/set-aside-records.ts";
import { findOrphans } from "../operations/orphans.ts";
import type { GuestServiceDeps } from "./guest-service.ts";
import { timestampFrom } from "./timestamp.ts";

const kinds = {
  container: Kind.CONTAINER,
  replaced: Kind.REPLACED_CONTAINER,
  snapshot: Kind.SNAPSHOT,
  image: Kind.IMAGE,
};

/** Looks only. What belongs to nobody may still be what somebody is looking for. */
export function listOrphans(tools: GuestServiceDeps) {
  return async (_request: ListOrphansRequest, { signal }: HandlerContext) => {
    try {
      const engine = tools.engine();
      // An operation may end or begin while the engine is asked: neither makes an orphan of what it has.
      const before = await openIds(tools);
      const [instances, images] = await Promise.all([
        engine.instances.listFull({ signal }),
        engine.images.list({ signal }),
      ]);
      const open = new Set([...before, ...(await openIds(tools))]);
      const orphans = findOrphans({ instances, images }, open, tools.clock.now());
      return {
        orphans: orphans.map(({ kind, name, container, operation, createdAt }) => ({
          kind: kinds[kind],
          name,
          containerName: container,
          operation: operation ?? "",
          createdAt: timestampFrom(Date.parse(createdAt)),
        })),
      };
    } catch (error) {
      throw new ConnectError(errorMessage(error), Code.FailedPrecondition, undefined, undefined, error);
    }
  };
}

/**
 * Everything that the journal has a record of counts as open: whoever ends it cleans up. So does what was set aside:
 * what it left may be the only way back.
 */
async function openIds({ runner, journal, journalFolder }: GuestServiceDeps): Promise<string[]> {
  const known = [...runner.locks.all(), ...(await journal.entries())].map(({ id }) => id);
  const setAside = await setAsideRecords(journalFolder);
  return [...known, ...setAside.map(({ path }) => basename(path).split(".")[0] ?? "")];
}

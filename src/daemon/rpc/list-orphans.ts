import { basename } from "node:path";
import type { HandlerContext } from "@connectrpc/connect";
import { Orphan_Kind as Kind, type ListOrphansRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { setAsideRecords } from "../notices/set-aside-records.ts";
import { findOrphans } from "../operations/orphans.ts";
import type { RpcDeps } from "./rpc.ts";
import { timestampFrom } from "./timestamp.ts";

const kinds = {
  container: Kind.CONTAINER,
  replaced: Kind.REPLACED_CONTAINER,
  snapshot: Kind.SNAPSHOT,
  image: Kind.IMAGE,
};

/** Lists orphans and removes nothing: one of them may hold data that a user needs. */
export function listOrphans(deps: RpcDeps) {
  return async (_request: ListOrphansRequest, { signal }: HandlerContext) => {
    const engine = deps.engine.running();
    // An operation may end or begin meanwhile: whatever it has is no orphan.
    const before = await openIds(deps);
    const [instances, images] = await Promise.all([
      engine.instances.listFull({ signal }),
      engine.images.list({ signal }),
    ]);
    const open = new Set([...before, ...(await openIds(deps))]);
    const orphans = findOrphans({ instances, images }, open, deps.clock.now());
    return {
      orphans: orphans.map(({ kind, name, container, operation, createdAt }) => ({
        kind: kinds[kind],
        name,
        containerName: container,
        operation: operation ?? "",
        createdAt: timestampFrom(Date.parse(createdAt)),
      })),
    };
  };
}

/** The operations that account for what they left: those in the journal, and those set aside, which may be the only copy. */
async function openIds({ runner, notices: { journal, journalFolder } }: RpcDeps): Promise<string[]> {
  const known = [...runner.locks.all(), ...(await journal.entries())].map(({ id }) => id);
  const setAside = await setAsideRecords(journalFolder);
  return [...known, ...setAside.map(({ path }) => basename(path).split(".")[0] ?? "")];
}

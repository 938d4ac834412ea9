import { createOperation } from "../../../src/daemon/operations/create/create.ts";
import { deleteOperation } from "../../../src/daemon/operations/delete.ts";
import { exportOperation } from "../../../src/daemon/operations/export/export.ts";
import { importOperation } from "../../../src/daemon/operations/import/import.ts";
import type { OperationDeps } from "../../../src/daemon/operations/operation-deps.ts";
import { startOperation } from "../../../src/daemon/operations/start/start.ts";
import { stopOperation } from "../../../src/daemon/operations/stop.ts";
import { commitUpgradeOperation } from "../../../src/daemon/operations/upgrade/commit-upgrade.ts";
import { rollbackUpgradeOperation } from "../../../src/daemon/operations/upgrade/rollback-upgrade.ts";
import { upgradeOperation } from "../../../src/daemon/operations/upgrade/upgrade.ts";

/** The kinds of operation on containers. */
export function kindsOf(tools: OperationDeps) {
  return {
    create: createOperation(tools),
    start: startOperation(tools),
    stop: stopOperation(tools),
    delete: deleteOperation(tools),
    export: exportOperation(tools),
    import: importOperation(tools),
    upgrade: upgradeOperation(tools),
    "undo-upgrade": rollbackUpgradeOperation(tools),
    "keep-upgrade": commitUpgradeOperation(tools),
  };
}

export type Kinds = ReturnType<typeof kindsOf>;
export type KindName = keyof Kinds;

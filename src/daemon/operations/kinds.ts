import { copyOperation } from "./create/copy.ts";
import { createOperation } from "./create/create.ts";
import { deleteOperation } from "./delete.ts";
import { exportOperation } from "./export/export.ts";
import { importOperation } from "./import/import.ts";
import type { EngineAccess, OperationDeps } from "./operation-deps.ts";
import { renameOperation } from "./rename.ts";
import { restartOperation } from "./restart.ts";
import { restoreOperation } from "./snapshots/restore-snapshot.ts";
import { snapshotOperation } from "./snapshots/take-snapshot.ts";
import { startOperation } from "./start/start.ts";
import { startLxdOperation } from "./start-lxd.ts";
import { stopOperation } from "./stop.ts";
import { commitUpgradeOperation } from "./upgrade/commit-upgrade.ts";
import { rollbackUpgradeOperation } from "./upgrade/rollback-upgrade.ts";
import { upgradeOperation } from "./upgrade/upgrade.ts";

/** What all kinds are built from. */
export interface KindDeps extends Omit<OperationDeps, "engine"> {
  readonly engine: Pick<EngineAccess, "forRecovery">;
}

export type OperationKinds = ReturnType<typeof operationKinds>;

/** Every kind of operation. The runner must know all of them before it recovers anything. */
export function operationKinds(deps: KindDeps) {
  const operationDeps: OperationDeps = { ...deps, engine: () => deps.engine.forRecovery() };
  return {
    startLxd: startLxdOperation(operationDeps),
    create: createOperation(operationDeps),
    delete: deleteOperation(operationDeps),
    start: startOperation(operationDeps),
    stop: stopOperation(operationDeps),
    restart: restartOperation(operationDeps),
    rename: renameOperation(operationDeps),
    copy: copyOperation(operationDeps),
    snapshot: snapshotOperation(operationDeps),
    restore: restoreOperation(operationDeps),
    export: exportOperation(operationDeps),
    import: importOperation(operationDeps),
    upgrade: upgradeOperation(operationDeps),
    rollbackUpgrade: rollbackUpgradeOperation(operationDeps),
    commitUpgrade: commitUpgradeOperation(operationDeps),
  };
}

import type { OperationBench } from "../operation-bench.ts";

/** The parts of a container that a start changes. */
export function traces({ engine }: OperationBench, name = "c1") {
  const { status, config, snapshots, metadata } = engine.instance(name);
  return {
    status,
    mark: config["user.tremplin.operation"],
    snapshots: snapshots.map((snapshot) => snapshot.name),
    isProvisioned: metadata.properties?.tremplinSetupFinished === "true",
  };
}

/** After a start that succeeded. */
export const running = { status: "Running", mark: undefined, snapshots: [], isProvisioned: true };
/** After one that did not. */
export const untouched = { status: "Stopped", mark: undefined, snapshots: [], isProvisioned: false };

/** Makes a container that ran, so that a privileged start changes the owners of its files. */
export async function createShifted({ actions: hands }: OperationBench): Promise<void> {
  await hands.create("c1");
  await hands.act("c1", "start");
  await hands.act("c1", "stop");
}

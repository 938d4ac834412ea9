import assert from "node:assert/strict";
import {
  type ContainerExportProgress,
  ContainerExportProgress_Status as Exported,
  ExportContainerResponse_Status as Exporting,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "./daemon.ts";

/** A large container on a slow machine takes its time. Milliseconds. */
const LONG = 600_000;

/** Asks for an export; it must be accepted. */
export async function beginExport(daemon: TestDaemon, containerName: string, path: string): Promise<void> {
  const request = { containerName, exportPath: path };
  const { status, failureReason } = await daemon.tremplin.exportContainer(request);
  assert.equal(status, Exporting.EXPORTING, failureReason);
}

/** Exports a container and gives the final notice, which must be DONE. */
export async function exportContainer(
  daemon: TestDaemon,
  containerName: string,
  path: string,
): Promise<ContainerExportProgress> {
  await beginExport(daemon, containerName, path);
  const final = await daemon.listener.final("export", containerName, LONG);
  assert.equal(final.status, Exported.DONE, final.failureReason);
  return final;
}

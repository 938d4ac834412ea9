import { type ContainerExportProgress } from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "./daemon.ts";
/** Asks for an export; it must be accepted. */
export declare function beginExport(daemon: TestDaemon, containerName: string, path: string): Promise<void>;
/** Exports a container and gives the final notice, which must be DONE. */
export declare function exportContainer(daemon: TestDaemon, containerName: string, path: string): Promise<ContainerExportProgress>;

import { randomInt } from "node:crypto";
import { constants, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { canAccess } from "../base/files/files.ts";
import { bootId } from "../base/processes/process-info.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { findAccelerator } from "./accelerator.ts";
import { writeBootFiles } from "./boot-files.ts";
import { buildSystem } from "./build-system.ts";
import { checkSuperblock, diskUse, growDisk, needsToGrow } from "./container-disk.ts";
import type { MachineFolder, MachinePorts, MachineSettings } from "./machine-folder.ts";
import { makeKeys } from "./make-keys.ts";
import { checkRequirements } from "./requirements.ts";

/** The size of a new disk. Its file is sparse. Bytes. */
const DISK = 20 * 1024 ** 3;
/** MiB. */
const MEMORY = 2048;
const MAX_CPUS = 4;

/** Settings for the next start. A missing one keeps the value of the last start. */
export interface MachineOverrides {
  /** MiB. First start: 2048. */
  readonly memory?: number | undefined;
  /** First start: the number of the host, at most 4. */
  readonly cpus?: number | undefined;
  /** Bytes. First start: 20 GiB. */
  readonly disk?: number | undefined;
  /** Build the system again. */
  readonly rebuild: boolean;
}

/**
 * Creates the missing files of a machine, and writes those of its next start. `program`: the folder of this program.
 * Yields progress messages. Throws `invalid` when the disk would have to shrink, `failed` when it is missing or damaged.
 */
export async function* prepareMachine(
  folder: MachineFolder,
  overrides: MachineOverrides,
  program: string,
  signal: AbortSignal,
): AsyncGenerator<string, MachineSettings, void> {
  const wasPrepared = await folder.wasPrepared();
  const before = await folder.settings();
  const now = await diskUse(folder.disk);
  if (now) await checkSuperblock(folder.disk);
  else if (wasPrepared) throw missingDisk(folder);
  const build = overrides.rebuild || !(await canAccess(folder.system));
  await checkRequirements({ build });
  const size = overrides.disk ?? now?.size ?? DISK;
  const grows = needsToGrow(now, size);
  if (build) yield* buildSystem(folder.system, signal);
  if (!(await canAccess(folder.keys))) await makeKeys(folder);
  if (grows) await growDisk(folder.disk, size);
  await mkdir(folder.shared, { recursive: true, mode: 0o700 });
  const foundAt = bootId();
  let accelerator = before?.foundAt === foundAt && !build ? before.accelerator : undefined;
  if (!accelerator) {
    yield "probing hardware virtualization";
    accelerator = await findAccelerator(join(folder.system, "vmlinuz"), signal);
  }
  const [daemon, ssh, listener] = await freePorts(3);
  const settings: MachineSettings = {
    memory: overrides.memory ?? before?.memory ?? MEMORY,
    cpus: overrides.cpus ?? before?.cpus ?? Math.min(MAX_CPUS, availableParallelism()),
    accelerator,
    foundAt,
    cid: (await canAccess("/dev/vhost-vsock", constants.R_OK | constants.W_OK)) ? newCid() : undefined,
    ports: { daemon, ssh, listener } as MachinePorts,
  };
  await writeBootFiles(folder, program, settings);
  await folder.saveSettings(settings);
  return settings;
}

/** The disk may have been moved, or may not be mounted: then an empty one in its place would be wrong. */
function missingDisk({ name, disk, path }: MachineFolder): TremplinError {
  return new TremplinError(
    "failed",
    `the disk of machine ${name} is missing: restore ${disk}, or delete ${path}/settings.json to start with an empty disk`,
  );
}

/** A random context id. The first three are reserved, and users choose small ones. */
function newCid(): number {
  return randomInt(1_000, 2 ** 31);
}

/** Different TCP ports that are free on the loopback interface. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(async (server) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    return await promise;
  });
  const found = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return found;
}

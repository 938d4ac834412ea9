import { randomInt } from "node:crypto";
import { constants, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { canAccess } from "../base/files/can-access.ts";
import { bootId } from "../base/processes/process-info.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { findAccelerator } from "./accelerator.ts";
import { buildSystem } from "./build-system.ts";
import { checkBeginning, diskUse, growDisk, mustGrow } from "./container-disk.ts";
import type { MachineFolder, MachinePorts, MachineSettings } from "./machine-folder.ts";
import { makeKeys } from "./make-keys.ts";
import { giveFiles } from "./provision-files.ts";
import { checkRequirements } from "./requirements.ts";

/** The size of a new machine's disk, which takes only what is in use. Bytes. */
const DISK = 20 * 1024 ** 3;
/** MiB. */
const MEMORY = 2048;
const MOST_CPUS = 4;

/** What a person may say of a machine; what is left out stays as it was at its last start. */
export interface MachineWishes {
  /** MiB; at first 2048. */
  readonly memory?: number | undefined;
  /** At first those of the host, four at most. */
  readonly cpus?: number | undefined;
  /** Bytes; at first 20 GiB. */
  readonly disk?: number | undefined;
  readonly rebuild: boolean;
}

/**
 * Makes what is missing of a machine, and what each start makes anew. `program` is the folder of this very program.
 * Yields what is done. Throws `invalid` where the disk would have to shrink, `failed` where it is gone or damaged.
 */
export async function* prepareMachine(
  folder: MachineFolder,
  wishes: MachineWishes,
  program: string,
  signal: AbortSignal,
): AsyncGenerator<string, MachineSettings, void> {
  const before = await folder.settings();
  const now = await diskUse(folder.disk);
  if (now) await checkBeginning(folder.disk);
  else if (before) throw withoutDisk(folder);
  const build = wishes.rebuild || !(await canAccess(folder.system));
  await checkRequirements({ build });
  const size = wishes.disk ?? now?.size ?? DISK;
  const grows = mustGrow(now, size);
  if (build) yield* buildSystem(folder.system, signal);
  if (!(await canAccess(folder.keys))) await makeKeys(folder);
  if (grows) await growDisk(folder.disk, size);
  await mkdir(folder.shared, { recursive: true, mode: 0o700 });
  const foundAt = bootId();
  let accelerator = before?.foundAt === foundAt && !build ? before.accelerator : undefined;
  if (!accelerator) {
    yield "trying hardware virtualisation";
    accelerator = await findAccelerator(join(folder.system, "vmlinuz"), signal);
  }
  const [daemon, ssh, listener] = await freePorts(3);
  const settings: MachineSettings = {
    memory: wishes.memory ?? before?.memory ?? MEMORY,
    cpus: wishes.cpus ?? before?.cpus ?? Math.min(MOST_CPUS, availableParallelism()),
    accelerator,
    foundAt,
    cid: (await canAccess("/dev/vhost-vsock", constants.R_OK | constants.W_OK)) ? newCid() : undefined,
    ports: { daemon, ssh, listener } as MachinePorts,
  };
  await giveFiles(folder, program, settings);
  await folder.keepSettings(settings);
  return settings;
}

/** Whoever moved it elsewhere, or has not mounted it, does not want an empty one in its place. */
function withoutDisk({ name, disk, path }: MachineFolder): TremplinError {
  return new TremplinError(
    "failed",
    `the disk of machine ${name} is gone: bring ${disk} back, or delete ${path}/settings.json to begin with an empty one`,
  );
}

/** A context id that hardly anybody has: the first three mean something, and people number theirs from there. */
function newCid(): number {
  return randomInt(1_000, 2 ** 31);
}

/** TCP ports of the loopback that nobody has now, all different. */
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

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";
import { acquireLock } from "../base/files/file-lock.ts";
import { canAccess } from "../base/files/files.ts";
import { JsonFile } from "../base/files/json-file.ts";
import { makeOwnFolder } from "../base/files/own-folder.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { accelerators } from "./accelerator.ts";

const port = z
  .int()
  .min(1)
  .max(2 ** 32 - 1);
const portsSchema = z
  .object({
    /** Forwarded to the daemon. */
    daemon: port,
    /** Forwarded to the machine's ssh. */
    ssh: port,
    /** On which the host listens for notices; a vsock port if the machine has a context id. */
    listener: port,
  })
  .readonly();
const settingsSchema = z
  .object({
    /** MiB. */
    memory: z.int().positive(),
    cpus: z.int().positive(),
    accelerator: z.enum(accelerators),
    /** The id of the host's boot in which the accelerator was probed. */
    foundAt: z.string(),
    /** The context id, if the host has vsock. */
    cid: z.int().min(3).optional(),
    /** TCP ports on the host's loopback interface. */
    ports: portsSchema,
  })
  .readonly();

/** The settings of the last start. The keys are stored in settings.json. */
export type MachineSettings = z.infer<typeof settingsSchema>;
export type MachinePorts = z.infer<typeof portsSchema>;

/** The default folder of all machines. */
export function defaultMachines(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_DATA_HOME || join(homedir(), ".local/share"), "tremplin/machines");
}

/** The folder with all files of one machine. */
export class MachineFolder {
  readonly name: string;
  readonly path: string;

  /** Throws `invalid` for a name or a path that cannot be used. */
  constructor(name: string, machines = defaultMachines()) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/.test(name)) {
      throw new TremplinError(
        "invalid",
        `"${name}" cannot be the name of a machine: use letters, digits, . _ -`,
      );
    }
    this.name = name;
    this.path = join(resolve(machines), name);
    // The kernel's limit for a socket's path (unix(7)).
    if (Buffer.byteLength(this.monitor) > 107) {
      throw new TremplinError("invalid", `${this.path} is too long for a socket: use a shorter --folder`);
    }
  }

  /** The kernel, the initramfs and the disk with Debian. Replaced as a whole. */
  get system(): string {
    return join(this.path, "system");
  }

  /** The disk with the containers. */
  get disk(): string {
    return join(this.path, "containers.img");
  }

  get keys(): string {
    return join(this.path, "keys");
  }

  /** The files that the machine mounts read-only at `/mnt/host`. */
  get bootFiles(): string {
    return join(this.path, "given");
  }

  /** Images, exports and imports. It has the same path in the machine. */
  get shared(): string {
    return join(this.path, "shared");
  }

  /** Sockets, pid files and logs. */
  get run(): string {
    return join(this.path, "run");
  }

  get monitor(): string {
    return join(this.run, "monitor.sock");
  }

  /** Whether the machine was started before. */
  async wasPrepared(): Promise<boolean> {
    const { path } = this.#settings;
    return (await canAccess(path)) || (await canAccess(`${path}.unreadable`));
  }

  /** Undefined where there are none. Damaged ones are set aside, and the next start makes others. */
  settings(): Promise<MachineSettings | undefined> {
    return this.#settings.readOrSetAside({ error: () => undefined });
  }

  saveSettings(settings: MachineSettings): Promise<void> {
    return this.#settings.write(settings);
  }

  /** Creates the folder and excludes other `machine up` and `machine down`. Throws `busy`, and `invalid` for a folder
   * that other users could change. */
  async lock(): Promise<AsyncDisposable> {
    await makeOwnFolder(this.path);
    return await acquireLock(
      join(this.path, "lock"),
      `another tremplin machine up or down is running for ${this.name}`,
    );
  }

  get #settings() {
    const without =
      "the next start of the machine finds other ports, and takes the defaults for memory and processors";
    return new JsonFile({ path: join(this.path, "settings.json"), schema: settingsSchema, without });
  }
}

import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { replaceFile } from "../base/files/durable-file.ts";
import { textOfFile } from "../base/files/text-of-file.ts";
import { acquireProcessLock } from "../base/processes/process-lock.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import type { Accelerator } from "./accelerator.ts";

/** What the running machine was started with. */
export interface MachineSettings {
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
  readonly accelerator: Accelerator;
  /** The boot of this host at which the accelerator was found. */
  readonly foundAt: string;
  /** Its context id, where this host can be reached by vsock. */
  readonly cid?: number | undefined;
  /** TCP ports of this host's loopback. */
  readonly ports: MachinePorts;
}

export interface MachinePorts {
  /** Forwarded to the daemon. */
  readonly daemon: number;
  /** Forwarded to the machine's ssh. */
  readonly ssh: number;
  /** Where the host hears the daemon's notices: with a context id a port of vsock. */
  readonly listener: number;
}

/** Where machines lie when nothing is said. */
export function defaultMachines(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_DATA_HOME || join(homedir(), ".local/share"), "tremplin/machines");
}

/** Everything that belongs to one machine. */
export class MachineFolder {
  readonly name: string;
  readonly path: string;

  /** Throws `invalid` where the name is none for a folder and a guest. */
  constructor(name: string, machines = defaultMachines()) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,30}$/.test(name)) {
      throw new TremplinError("invalid", `"${name}" is no name for a machine: use letters, digits, . _ -`);
    }
    this.name = name;
    this.path = join(resolve(machines), name);
    // The kernel's limit for a socket's path (unix(7)).
    if (Buffer.byteLength(this.monitor) > 107) {
      throw new TremplinError("invalid", `${this.path} is too long for sockets: give a shorter --folder`);
    }
  }

  /** Kernel, initial file system and the disk with Debian: replaced as a whole. */
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

  /** What the machine runs and knows, at `/mnt/host` there, read only. */
  get bootFiles(): string {
    return join(this.path, "given");
  }

  /** Images, exports and imports: the machine sees it under the same path. */
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

  async settings(): Promise<MachineSettings | undefined> {
    const text = await textOfFile(this.#settings);
    return text === undefined ? undefined : (JSON.parse(text) as MachineSettings);
  }

  saveSettings(settings: MachineSettings): Promise<void> {
    return replaceFile(this.#settings, `${JSON.stringify(settings)}\n`);
  }

  /** Keeps other ups and downs out, and makes the folder. Throws `busy`. */
  async lock(): Promise<AsyncDisposable> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    return await acquireProcessLock(
      `machine ${this.path}`,
      `another tremplin machine up or down is at work on ${this.name}`,
    );
  }

  get #settings(): string {
    return join(this.path, "settings.json");
  }
}

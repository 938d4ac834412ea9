import { join, resolve } from "node:path";
import { acquireLock } from "../../base/files/file-lock.ts";
import { makeOwnFolder } from "../../base/files/own-folder.ts";
import { findGroup } from "../../base/processes/find-group.ts";
import type { Address } from "../../transport/address.ts";
import { openFolderToGroup } from "../../transport/socket-file.ts";
import { BackgroundProcess } from "./background-process.ts";
import { hasServices, ServiceProcess } from "./service-process.ts";

/** The default folder of sockets, pid files and logs. */
export const DEFAULT_RUN = "/run/tremplin";

/** Its members may use the host of this computer as root may, if there is such a group (docs/threat-model.md). */
export const CLIENT_GROUP = "tremplin";

/** The folder of the programs that run in the background on this computer. */
export class RunFolder {
  readonly path: string;
  readonly daemon: BackgroundProcess;
  readonly host: BackgroundProcess;
  readonly machine: BackgroundProcess;

  constructor(path: string) {
    this.path = resolve(path);
    const Kind = this.path === DEFAULT_RUN && hasServices() ? ServiceProcess : BackgroundProcess;
    this.daemon = new Kind("daemon", this.path);
    this.host = new Kind("host", this.path);
    this.machine = new BackgroundProcess("machine", this.path);
  }

  /** Where commands reach the host. */
  get hostSocket(): Address {
    return this.#socket("host");
  }

  /** Where the daemon sends its notices. */
  get listenerSocket(): Address {
    return this.#socket("listener");
  }

  /** Where the host reaches the guest. */
  get guestSocket(): Address {
    return this.#socket("guest");
  }

  /**
   * Creates the folder and excludes other `tremplin up` and `tremplin down`. Throws `busy`, and `invalid` for a folder
   * that other users could change: what a pid file says there, `down` would end.
   */
  async lock(): Promise<AsyncDisposable> {
    await makeOwnFolder(this.path);
    return await acquireLock(
      join(this.path, "lock"),
      `another tremplin up or tremplin down is running for ${this.path}`,
    );
  }

  /**
   * The name of the group whose members may connect to the host here: there must be one, and the folder be the default
   * one. They can then pass through it.
   */
  async openToClients(): Promise<string | undefined> {
    const group = this.path === DEFAULT_RUN ? await findGroup(CLIENT_GROUP) : undefined;
    if (!group) return undefined;
    await openFolderToGroup(this.path, group.id);
    return CLIENT_GROUP;
  }

  #socket(name: string): Address {
    return { kind: "unix", path: join(this.path, `${name}.sock`) };
  }
}

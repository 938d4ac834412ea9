import { mkdir, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { loadNative } from "../../base/native/load-native.ts";
import type { mountFolder, unmountFolder } from "../../base/native/mounts.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { UserNamespace } from "../guest/user-namespace.ts";
import type { Ids, ShareRecord } from "./share-records.ts";
import { identityAt, type OpenFolder, openSource } from "./source-folder.ts";

/** The calls of the system, which tests replace. */
export interface MountCalls {
  readonly mountFolder: typeof mountFolder;
  readonly unmountFolder: typeof unmountFolder;
}

const kernel = (): Promise<MountCalls> => loadNative(() => import("../../base/native/mounts.ts"));

/**
 * The shared folders, each mounted in a folder of the daemon's from which the engine takes it. The owner's files belong
 * to the person of the container there, and nobody else's ids exist: what root of a container makes belongs to no
 * other user of the machine. That folder exists only while something is mounted: an engine leaves out what is missing,
 * and would show an empty folder otherwise.
 */
export class ShareMounts {
  readonly #folder: string;
  readonly #calls: () => Promise<MountCalls>;

  constructor(folder: string, calls = kernel) {
    this.#folder = folder;
    this.#calls = calls;
  }

  pathOf(id: string): string {
    return join(this.#folder, id);
  }

  /** Those that may be mounted. */
  async ids(): Promise<string[]> {
    return await readdir(this.#folder).catch(() => []);
  }

  /** Whether the folder that is at the source now is mounted. */
  async isMounted(id: string, source: string): Promise<boolean> {
    await using opened = await openSource(source);
    return (await identityAt(this.pathOf(id))) === opened.identity;
  }

  /**
   * Mounts a share, unless it is. True if it was not. Throws `failed` if the folder is gone or its file system cannot map
   * ids; then nothing is mounted.
   */
  async mount(id: string, record: ShareRecord, isChanged = false): Promise<boolean> {
    const target = this.pathOf(id);
    try {
      await using opened = await openSource(record.source);
      const current = await identityAt(target);
      if (current === opened.identity && !isChanged) return false;
      if (current !== undefined) await this.unmount(id);
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await mkdir(target, { mode: 0o700 });
      await this.#mount(opened, target, record);
      return true;
    } catch (error) {
      await this.unmount(id);
      throw error;
    }
  }

  /** Containers that run keep what they have. Never removes anything but an empty folder. */
  async unmount(id: string): Promise<void> {
    const target = this.pathOf(id);
    if ((await identityAt(target)) === undefined) return;
    const { unmountFolder } = await this.#calls();
    // One may have been mounted over another.
    for (let isThere = true; isThere; ) {
      try {
        unmountFolder(target);
      } catch {
        isThere = false;
      }
    }
    await rmdir(target).catch(() => undefined);
  }

  async #mount(opened: OpenFolder, target: string, { source, owner, outside, readOnly }: ShareRecord) {
    const { mountFolder } = await this.#calls();
    await using namespace = await UserNamespace.open(mapOf(owner, outside));
    try {
      mountFolder(opened.fd, target, { readOnly, idMap: namespace.path });
    } catch (error) {
      const advice = readOnly
        ? ""
        : "; --read-only may show it, with the owners as they are, or share a copy of it";
      const reason = systemErrorText(error);
      throw new TremplinError(
        "failed",
        owner
          ? `the file system of ${source}, or this kernel, cannot show its owners as a container needs them (${reason})${advice}`
          : `${source} cannot be mounted: ${reason}`,
        error,
      );
    }
  }
}

function mapOf(owner: Ids | undefined, outside: Ids) {
  if (!owner) return { uid: [], gid: [] };
  const range = (containerId: number, hostId: number) => [{ containerId, hostId, count: 1 }];
  return { uid: range(owner.uid, outside.uid), gid: range(owner.gid, outside.gid) };
}

import {
  chmod,
  constants,
  type FileHandle,
  lchown,
  link,
  lutimes,
  open,
  rm,
  stat,
  utimes,
} from "node:fs/promises";
import { join } from "node:path";
import { O_PATH } from "../../base/files/files.ts";
import type { Logger } from "../../base/logger.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type IdMap, toHostId } from "../guest/id-map.ts";
import { encodeLatin1 } from "../guest/lossless-text.ts";
import { type DeviceRules, isAllowedDevice, isDevice, LeftOutDevices, MAX_DEVICES } from "./device-rules.ts";
import { quoteName, splitMemberPath, type TarMember } from "./tar-member.ts";

/** The only device that the kernel lets every user make. */
const WHITEOUT = "0,0";

/**
 * The device nodes of a backup that the daemon unpacks. tar cannot make them in a user namespace, so those that a
 * container may have are made by the root user of this machine after tar has ended. All others are left out: no
 * container could open them, and the engine makes what a container needs in /dev at each start.
 */
export class DeviceNodes implements DeviceRules {
  readonly #allowed: TarMember[] = [];
  /** All of them, by their paths: some programs pack a device with two names as a hard link. */
  readonly #byPath = new Map<string, TarMember>();
  readonly #leftOut = new LeftOutDevices();
  #unmade = 0;

  admits(): boolean {
    return true;
  }

  note(member: TarMember, path: readonly string[]): void {
    const original = member.type === "h" ? this.#targetOf(member) : member;
    if (!original || !isDevice(original) || isWhiteout(original)) return;
    const node = { ...original, name: member.name };
    this.#unmade++;
    if (this.#byPath.size < MAX_DEVICES) this.#byPath.set(path.join("/"), node);
    if (isAllowedDevice(node) && this.#allowed.length < MAX_DEVICES) this.#allowed.push(node);
    else this.#leftOut.add(path);
  }

  finish(): void {}

  /** How many of them tar cannot make. */
  get unmade(): number {
    return this.#unmade;
  }

  /** Makes the allowed ones in the folder into which the archive was unpacked. Leaves out one that cannot be made. */
  async make(
    folder: string,
    idMap: IdMap,
    { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
  ): Promise<void> {
    for (const node of this.#allowed) {
      signal.throwIfAborted();
      try {
        await makeNode(folder, node, idMap);
      } catch (error) {
        log.warn({ error, node: quoteName(node.name) }, "a device node of the backup could not be made");
        this.#leftOut.add(splitMemberPath(node.name).slice(1));
      }
    }
  }

  /** Says for people which were left out; undefined if none were. */
  get remark(): string | undefined {
    return this.#leftOut.remark;
  }

  #targetOf({ target = "" }: TarMember): TarMember | undefined {
    return this.#byPath.get(splitMemberPath(target).slice(1).join("/"));
  }
}

function isWhiteout({ type, device }: TarMember): boolean {
  return type === "c" && device === WHITEOUT;
}

/** Makes a node, unless a later member of the archive has its name. Follows no link of the archive. */
async function makeNode(
  root: string,
  { name, type, device, attributes }: TarMember,
  idMap: IdMap,
): Promise<void> {
  const [major = "", minor = ""] = device?.split(",") ?? [];
  const uid = toHostId(idMap, "uid", attributes?.uid ?? 0);
  const gid = toHostId(idMap, "gid", attributes?.gid ?? 0);
  if (uid === undefined || gid === undefined) {
    throw new TremplinError("failed", "its owner is outside the container's id map");
  }
  // Next to rootfs and templates, where no member has this name.
  const made = join(root, "node");
  await runProgram("mknod", [made, type, major, minor]);
  try {
    await lchown(made, uid, gid);
    await chmod(made, attributes?.mode ?? 0o600);
    const seconds = (attributes?.modifiedAt ?? 0) / 1000;
    await lutimes(made, seconds, seconds);
    await giveName(root, splitMemberPath(name), made);
  } finally {
    await rm(made);
  }
}

/** Links a file to a path below a folder. Keeps the time of the folder that it comes into, which tar has set. */
async function giveName(root: string, path: readonly string[], file: string): Promise<void> {
  await using folder = await openFolder(root, path.slice(0, -1));
  const inside = `/proc/self/fd/${folder.fd}`;
  const { atimeMs, mtimeMs } = await stat(inside);
  await link(file, pathIn(folder, path.at(-1) ?? "")).catch((error) => {
    if (error.code !== "EEXIST") throw error;
  });
  await utimes(inside, atimeMs / 1000, mtimeMs / 1000);
}

/** Opens a folder by its path below another. Throws if one on the way is a symbolic link. */
async function openFolder(root: string, path: readonly string[]): Promise<FileHandle> {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  let folder = await open(root, flags);
  for (const name of path) {
    const outer = folder;
    folder = await open(pathIn(outer, name), flags).finally(() => outer.close());
  }
  return folder;
}

/** The path of a name of any bytes in an open folder. */
function pathIn({ fd }: FileHandle, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), encodeLatin1(name)]);
}

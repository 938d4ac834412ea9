import { quoteName, type TarMember } from "./tar-member.ts";

/**
 * The devices that any container may have: null, zero, full, random, urandom, tty, console, ptmx, fuse, tun, and the
 * whiteouts of an overlay.
 */
const ALLOWED_DEVICES = new Set([
  "1,3",
  "1,5",
  "1,7",
  "1,8",
  "1,9",
  "5,0",
  "5,1",
  "5,2",
  "10,229",
  "10,200",
  "0,0",
]);
/** A container has ten in /dev, and as many in each root file system inside it. */
export const MAX_DEVICES = 10_000;
const MAX_NAMES = 5;

/** Decides about the device nodes of a backup. Which ones a backup may have depends on who unpacks it. */
export interface DeviceRules {
  /** Whether a backup may have it. `path`: its components below rootfs. */
  admits(member: TarMember, path: readonly string[]): boolean;
  /** Called for each member below rootfs that a backup may have. */
  note(member: TarMember, path: readonly string[]): void;
  /** How many of them tar cannot make where it unpacks in a user namespace. */
  readonly unmade: number;
  /** Called after the last member. Throws `invalid` for a backup that cannot be imported. */
  finish(): void;
}

export function isDevice({ type }: TarMember): boolean {
  return type === "b" || type === "c";
}

/** Whether a container may have the device of this member. */
export function isAllowedDevice({ type, device = "" }: TarMember): boolean {
  return type === "c" && ALLOWED_DEVICES.has(device);
}

/** The device nodes that are left out of a container. */
export class LeftOutDevices {
  readonly #names: string[] = [];
  #count = 0;

  add(path: readonly string[]): void {
    this.#count++;
    if (this.#names.length < MAX_NAMES) this.#names.push(quoteName(`/${path.join("/")}`));
  }

  /** A sentence for people; undefined if none were. */
  get remark(): string | undefined {
    if (this.#count === 0) return undefined;
    const more = this.#count - this.#names.length;
    const names = this.#names.join(", ") + (more > 0 ? ` and ${more} more` : "");
    return `these device nodes were left out: ${names}; the engine makes those that a container needs in /dev`;
  }
}

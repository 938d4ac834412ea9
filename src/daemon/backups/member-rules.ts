import { TremplinError } from "../../base/tremplin-error.ts";
import { MAX_METADATA_BYTES } from "./backup-metadata.ts";
import { type DeviceRules, isDevice } from "./device-rules.ts";
import { LostAttributes } from "./lost-attributes.ts";
import { quoteName, splitMemberPath, type TarMember } from "./tar-member.ts";

/**
 * Which members a backup may have: `metadata.yaml`, `rootfs` and `templates` (docs/contract.md#backup-file-format),
 * what programs add without being asked, and nothing that lets the engine, which handles them as root, leave the container's own folder:
 * - it follows a `rootfs` that is a link, and changes the owner of the link's target;
 * - it reads a template through a link;
 * - a hard link can give the container any file of its disk;
 * - it creates device nodes that the container's root may open: LXD 5.0.2 allowed a block device in an unprivileged one.
 */
export class MemberRules {
  readonly devices: DeviceRules;
  /** The attributes of members that could not be set. */
  readonly lost = new LostAttributes();
  readonly #seen = new Set<string>();

  constructor(devices: DeviceRules) {
    this.devices = devices;
  }

  /** Throws `invalid` for a member that is not allowed. */
  check(member: TarMember): void {
    const path = splitMemberPath(member.name);
    const [top = "", ...below] = path;
    const part = path.length === 0 ? "." : top;
    if (!this.#isKnown(part, member, below)) throw rejection(member);
    this.#seen.add(part);
    if (part !== "rootfs") return;
    if (member.type === "h") {
      const [targetTop, ...target] = splitMemberPath(member.target ?? "");
      if (targetTop !== "rootfs" || target.length === 0) throw rejection(member);
    }
    this.devices.note(member, below);
  }

  /** Call this after the last member. Throws `invalid` if a required one is missing. */
  finish(): void {
    for (const part of ["metadata.yaml", "rootfs"]) {
      if (!this.#seen.has(part)) throw new TremplinError("invalid", `the backup has no ${part}`);
    }
    this.devices.finish();
  }

  #isKnown(part: string, member: TarMember, below: readonly string[]): boolean {
    const { type, size = 0 } = member;
    const isTop = below.length === 0;
    switch (part) {
      case ".":
        return type === "d";
      case "metadata.yaml":
        return isTop && type === "-" && size <= MAX_METADATA_BYTES && !this.#seen.has(part);
      case "rootfs":
        if (isDevice(member) && !this.devices.admits(member, below)) return false;
        return isTop ? type === "d" : type !== "other";
      case "templates":
        return type === "d" || (!isTop && type === "-");
      default:
        return type === "d" || type === "-" ? isByProduct(part) : false;
    }
  }
}

/**
 * Whether something beside the parts of a backup was made by a program that packed or moved it, and means nothing: a
 * Mac's attributes and folder settings, pax headers as files, and the folder of fsck.
 */
function isByProduct(part: string): boolean {
  return (
    part.startsWith("._") ||
    part.startsWith("PaxHeaders") ||
    ["__MACOSX", ".DS_Store", "pax_global_header", "lost+found"].includes(part)
  );
}

const MEMBER_TYPE_NAMES: Readonly<Record<TarMember["type"], string>> = {
  "-": "file",
  d: "folder",
  l: "symbolic link",
  h: "hard link",
  b: "device",
  c: "device",
  p: "pipe",
  s: "socket",
  other: "member of an unknown kind",
};

function rejection({ type, name, target, size, device }: TarMember): TremplinError {
  const link = target === undefined ? "" : ` to ${quoteName(target)}`;
  const large = size !== undefined && size > MAX_METADATA_BYTES && type === "-" ? ` of ${size} bytes` : "";
  const numbers = device === undefined ? "" : ` with the numbers ${device}`;
  return new TremplinError(
    "invalid",
    `the backup has a ${MEMBER_TYPE_NAMES[type]} ${quoteName(name)}${link}${large}${numbers}, which is not allowed in a backup`,
  );
}

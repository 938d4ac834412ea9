import { TremplinError } from "../../base/tremplin-error.ts";
import { MAX_METADATA_BYTES } from "./backup-metadata.ts";
import { quoteName, splitMemberPath, type TarMember } from "./tar-member.ts";

/**
 * The devices that a container may have of itself: null, zero, full, random, urandom, tty, console, ptmx, fuse, tun,
 * and the marks by which an overlay hides files.
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

/**
 * What may be in a backup: `metadata.yaml`, `rootfs` and `templates` (behaviour.md 11), and nothing by which an
 * engine, which handles these as root, would reach out of the container's own folder:
 * - it follows a `rootfs` that is a link, and gives away what lies behind it;
 * - it reads a template through a link;
 * - a hard link makes any file of its disk one of the container's;
 * - it makes devices that root of the container may then open: LXD 5.0.2 opened a block device for an unprivileged one.
 *
 * Keeps nothing of the members but which of the `watched` paths are symbolic links.
 */
export class MemberRules {
  /** Of the watched paths those that are links. */
  readonly links = new Set<string>();
  readonly #watched: ReadonlySet<string>;
  readonly #seen = new Set<string>();

  /** `watched`: paths below rootfs, without a slash at their beginning. */
  constructor(watched: ReadonlySet<string> = new Set()) {
    this.#watched = watched;
  }

  /** Throws `invalid` with the member that may not be. */
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
    if (member.type === "l" && this.#watched.has(below.join("/"))) this.links.add(below.join("/"));
  }

  /** To be called when there are no more. Throws `invalid` for what is missing. */
  finish(): void {
    for (const part of ["metadata.yaml", "rootfs"]) {
      if (!this.#seen.has(part)) throw new TremplinError("invalid", `the backup has no ${part}`);
    }
  }

  #isKnown(part: string, { type, size = 0, device = "" }: TarMember, below: readonly string[]): boolean {
    const isTop = below.length === 0;
    switch (part) {
      case ".":
        return type === "d";
      case "metadata.yaml":
        return isTop && type === "-" && size <= MAX_METADATA_BYTES && !this.#seen.has(part);
      case "rootfs":
        if (type === "b" || (type === "c" && !ALLOWED_DEVICES.has(device))) return false;
        return isTop ? type === "d" : type !== "other";
      case "templates":
        return type === "d" || (!isTop && type === "-");
      default:
        return false;
    }
  }
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
  const leads = target === undefined ? "" : ` to ${quoteName(target)}`;
  const large = size !== undefined && size > MAX_METADATA_BYTES && type === "-" ? ` of ${size} bytes` : "";
  const numbers = device === undefined ? "" : ` with the numbers ${device}`;
  return new TremplinError(
    "invalid",
    `the backup has a ${MEMBER_TYPE_NAMES[type]} ${quoteName(name)}${leads}${large}${numbers}, which a container's backup cannot have`,
  );
}

import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { type DeviceRules, isAllowedDevice, isDevice, LeftOutDevices, MAX_DEVICES } from "./device-rules.ts";
import { splitMemberPath, type TarMember } from "./tar-member.ts";

/** Ten times as many as a Debian has. */
const MAX_LINKS = 100_000;

/**
 * The device nodes of a backup that the engine unpacks, which makes all of them. Those below /dev that no container may
 * have are removed from the new container before it gets its name; a backup with such a one elsewhere is rejected. The
 * names of members must be the places of their files for that, so no member with a link on its path, and no hard link to
 * such a device, may be in the same backup.
 */
export class EngineDevices implements DeviceRules {
  readonly unmade = 0;
  /** The devices to remove: paths below rootfs. */
  readonly #paths = new Set<string>();
  readonly #links = new Set<string>();
  readonly #leftOut = new LeftOutDevices();
  #isMisplaced = false;

  admits(member: TarMember, [top, ...below]: readonly string[]): boolean {
    return isAllowedDevice(member) || (top === "dev" && below.length > 0 && this.#paths.size < MAX_DEVICES);
  }

  note(member: TarMember, path: readonly string[]): void {
    const target = member.type === "h" ? splitMemberPath(member.target ?? "").slice(1) : [];
    this.#isMisplaced ||=
      this.#isBehindLink(path) || this.#isBehindLink(target) || this.#paths.has(target.join("/"));
    // Another name of a link is one too.
    if (member.type === "l" || this.#links.has(target.join("/"))) {
      if (this.#links.size < MAX_LINKS) this.#links.add(path.join("/"));
      else this.#isMisplaced = true;
    }
    if (!isDevice(member) || isAllowedDevice(member)) return;
    this.#paths.add(path.join("/"));
    this.#leftOut.add(path);
  }

  finish(): void {
    if (this.#paths.size === 0 || !this.#isMisplaced) return;
    throw new TremplinError(
      "invalid",
      "the backup has device nodes that no container may have, and files behind links, so the devices cannot be left out; pack it again without its /dev",
    );
  }

  /** Removes them from the new container. */
  async remove(files: Pick<FileSession, "lstat" | "remove">): Promise<void> {
    for (const path of this.#paths) {
      const found = await files.lstat(`/${path}`).catch(ifMissing);
      if (found?.type === "special") await files.remove(`/${path}`);
    }
  }

  /** Says for people which were left out; undefined if none were. */
  get remark(): string | undefined {
    return this.#leftOut.remark;
  }

  #isBehindLink(path: readonly string[]): boolean {
    return path.slice(0, -1).some((_, index) => this.#links.has(path.slice(0, index + 1).join("/")));
  }
}

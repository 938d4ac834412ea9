import { closeSync, constants, openSync } from "node:fs";

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A folder of this computer, by its descriptor. Names in it are reached through that, so whatever somebody renames or
 * puts in the place of a folder above meanwhile, a path never leads elsewhere (what openat(2) is for).
 */
export class OpenFolder implements Disposable {
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Links in the path are followed: a person has named it. */
  static open(path: string | Buffer): OpenFolder {
    return new OpenFolder(openSync(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK));
  }

  /** A folder in this one. Fails for a link. */
  openChild(name: Uint8Array): OpenFolder {
    return new OpenFolder(openSync(this.path(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK));
  }

  /** The path of a name in it, for one call with that: only its last part can be a link. */
  path(name: Uint8Array): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.fd}/`), name]);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

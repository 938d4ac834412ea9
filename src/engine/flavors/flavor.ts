import { TremplinError } from "../../base/tremplin-error.ts";

export type EngineKind = "lxd" | "incus";

/** Which engine calls itself by this name (`environment.server` of its answer). */
export function engineKind(server: string): EngineKind {
  if (server === "lxd" || server === "incus") return server;
  throw new TremplinError("failed", `the engine calls itself "${server}": only lxd and incus are known`);
}

/** All that a client must do differently for LXD and for Incus (engines.md 2.0). */
export class Flavor {
  readonly kind: EngineKind;
  readonly #prefix: string;

  constructor(kind: EngineKind) {
    this.kind = kind;
    this.#prefix = kind === "incus" ? "X-Incus-" : "X-LXD-";
  }

  /** Headers of a request about an image or a backup; keys without their prefix. */
  headers(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined) headers[this.#prefix + key] = String(value);
    }
    return headers;
  }

  /**
   * Where an engine whose socket lies in `folder` may keep the pid of the process that serves an instance's
   * files: under its own folder, or in the places of a system-wide installation.
   */
  fileHelperPids(folder: string, instance: string): string[] {
    const places =
      this.kind === "lxd"
        ? [`${folder}/logs`, "/var/log/lxd"]
        : [`${folder}/run`, "/run/incus", "/var/log/incus"];
    return places.map((place) => `${place}/${instance}/forkfile.pid`);
  }

  /**
   * Whether the wait for an operation that failed, was cancelled or is still running when the time is up is
   * answered with an error instead of with the operation.
   */
  get waitHidesOperation(): boolean {
    return this.kind === "incus";
  }

  /** The file types of simplestreams that hold an image's metadata for this engine. */
  get metadataFileType(): string {
    return `${this.kind}.tar.xz`;
  }
}

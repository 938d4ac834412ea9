import { findExecutable, searchPath } from "../../../base/processes/find-executable.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";

export type EngineKind = "lxd" | "incus";

/** How an engine is run by its own program, privately under a folder. */
export interface EngineProgram {
  readonly kind: EngineKind;
  /** Absolute path of the daemon's executable. */
  readonly executable: string;
  /** The environment variable that names its folder. */
  readonly folderVariable: string;
}

const programs: Readonly<Record<EngineKind, { name: string; folderVariable: string; package: string }>> = {
  lxd: { name: "lxd", folderVariable: "LXD_DIR", package: "lxd" },
  incus: { name: "incusd", folderVariable: "INCUS_DIR", package: "incus" },
};

/** Finds the program of an engine; of any engine, LXD first, when none is named. */
export async function findEngineProgram(
  wanted?: EngineKind,
  folders: readonly string[] = searchPath,
): Promise<EngineProgram> {
  const kinds: EngineKind[] = wanted ? [wanted] : ["lxd", "incus"];
  for (const kind of kinds) {
    const executable = await findExecutable(programs[kind].name, folders);
    if (executable) return { kind, executable, folderVariable: programs[kind].folderVariable };
  }
  const packages = kinds.map((kind) => programs[kind].package).join(" or ");
  throw new TremplinError(
    "failed",
    `no engine is installed: install the package ${packages} (apt-get install ${programs[kinds[0] as EngineKind].package}) and try again`,
  );
}

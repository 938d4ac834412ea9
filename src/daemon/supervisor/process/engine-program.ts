import { findExecutable, searchPath } from "../../../base/processes/find-executable.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { type EngineKind, findFlavor, flavors } from "../../../engine/flavors/flavors.ts";

/** The installed program of an engine. */
export interface EngineProgram {
  readonly kind: EngineKind;
  /** Absolute path of the daemon's executable. */
  readonly executable: string;
}

/** Finds the program of an engine; the first one of all flavors that is installed when none is named. */
export async function findEngineProgram(
  wanted?: EngineKind,
  folders?: readonly string[],
): Promise<EngineProgram> {
  const flavor = findFlavor(wanted);
  const candidates = flavor ? [flavor] : flavors;
  for (const { kind, program } of candidates) {
    const executable = await findExecutable(program.name, folders ?? [...searchPath, ...program.folders]);
    if (executable) return { kind, executable };
  }
  const packages = candidates.map(({ program }) => program.package);
  throw new TremplinError(
    "failed",
    `no engine is installed: install the package ${packages.join(" or ")} (apt-get install ${packages[0]}) and try again`,
  );
}

import { buildSystem } from "../../src/machine/build-system.ts";
import { cachedBuild } from "../support/cached-build.ts";

/** The sources of the system: a change of these builds it again. */
const recipe = ["build-system.ts", "guest-files.ts", "machine-addresses.ts"].map(
  (name) => `src/machine/${name}`,
);

/** The folder of a built system, cached across runs. */
export function cachedSystem(): Promise<string> {
  return cachedBuild("machine", recipe, async (system) => {
    for await (const _ of buildSystem(system, AbortSignal.timeout(600_000)));
  });
}

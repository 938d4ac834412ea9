import { buildSystem } from "../../src/machine/build-system.ts";
import { cachedBuild } from "../support/cached-build.ts";

/** What the disk is made from: a change of these makes another. */
const recipe = ["build-system.ts", "guest-files.ts", "machine-addresses.ts"].map(
  (name) => `src/machine/${name}`,
);

/** The folder of a built system, from an earlier run where there is one. */
export function cachedSystem(): Promise<string> {
  return cachedBuild("machine", recipe, async (system) => {
    for await (const _ of buildSystem(system, AbortSignal.timeout(600_000)));
  });
}

import { TremplinError } from "../../base/tremplin-error.ts";
import type { Flavor } from "./flavor.ts";
import { incus } from "./incus.ts";
import { lxd } from "./lxd.ts";

const KNOWN = [lxd, incus] as const satisfies Flavor[];

export type EngineKind = (typeof KNOWN)[number]["kind"];

type KnownFlavor = Flavor & { readonly kind: EngineKind };

/** All engines that the program works with. The first one that is installed is used when none is chosen. */
export const flavors: readonly [KnownFlavor, ...KnownFlavor[]] = KNOWN;

/** Their kinds as a list in a sentence: `lxd, incus`. */
export function engineKinds(): string {
  return flavors.map(({ kind }) => kind).join(", ");
}

/** The flavor of that kind; undefined for any other name. */
export function findFlavor(kind: string | undefined): KnownFlavor | undefined {
  return flavors.find((flavor) => flavor.kind === kind);
}

export function flavorOf(kind: EngineKind): Flavor {
  const flavor = findFlavor(kind);
  if (!flavor) throw new TremplinError("failed", `there is no engine "${kind}"`);
  return flavor;
}

/** The kind of an engine that gives itself this name in its API. Throws `failed` for an unknown one. */
export function engineKind(server: string): EngineKind {
  const flavor = findFlavor(server);
  if (flavor) return flavor.kind;
  const known = flavors.map(({ kind }) => kind).join(" and ");
  throw new TremplinError("failed", `the engine calls itself "${server}": only ${known} are known`);
}

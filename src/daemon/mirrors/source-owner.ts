import { parseAptUri } from "./apt-uri.ts";
import type { Answer } from "./ask-release-files.ts";
import { type DebianSuite, debianSuiteOf, parseDebianSuite } from "./debian-suite.ts";
import { officialPlace } from "./official-place.ts";

/** Whose an apt source is. */
export type SourceOwner =
  | { readonly name: "debian"; readonly suite: DebianSuite }
  /** Another vendor, or a derivative of Debian. `origin` is what it calls itself, perhaps nothing. */
  | { readonly name: "other"; readonly origin: string }
  /** It did not answer. `reason` ends a sentence. */
  | { readonly name: "unknown"; readonly reason: string };

/** The owner of a place that needs no question; undefined for others. */
export function knownOwner(uri: string, suite: string): SourceOwner | undefined {
  const official = officialPlace(uri);
  if (official) {
    const meaning = parseDebianSuite(suite);
    const isSecurity = official.content === "security" && meaning.role !== "other";
    return { name: "debian", suite: isSecurity ? { ...meaning, role: "security" } : meaning };
  }
  if (parseAptUri(uri).scheme === "cdrom:") return { name: "unknown", reason: "it is a disc" };
  // Debian has no repositories without a folder of suites.
  return suite.endsWith("/") ? { name: "other", origin: "" } : undefined;
}

/** The owner of a place by its answer. */
export function ownerOfAnswer(answer: Answer): SourceOwner {
  if (answer.is === "missing") return { name: "unknown", reason: "it has no Release file" };
  if (answer.is === "silent") return { name: "unknown", reason: answer.reason };
  const { origin, label } = answer.release;
  const suite = debianSuiteOf(answer.release);
  return suite ? { name: "debian", suite } : { name: "other", origin: origin || label };
}

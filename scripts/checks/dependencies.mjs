// Dependencies are pinned: package.json and package-lock.json name exact versions, agree, and have the checksum of each
// package that can be installed where the program runs. Neither names a registry: that is a setting of a machine.
import { isDeepStrictEqual } from "node:util";
import { findEntry, lockEntries, processors, runsOn } from "../dependencies/lock-entries.mjs";
import { lineOf } from "./tree.mjs";

const MANIFEST = "package.json";
const LOCK = "package-lock.json";
const SETTINGS = ".npmrc";
const groups = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
const exact = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
/** 64 bytes. */
const checksum = /^sha512-[A-Za-z0-9+/]{86}==$/;
const needed = ["save-exact=true", "omit-lockfile-registry-resolved=true"];

export function checkDependencies(tree) {
  const manifest = JSON.parse(tree.get(MANIFEST) ?? "{}");
  const lock = JSON.parse(tree.get(LOCK) ?? '{"packages":{}}');
  const at = (file, text) =>
    `${file}:${lineOf(tree.get(file) ?? "", Math.max(0, tree.get(file)?.indexOf(text) ?? 0))}`;
  return [
    ...manifestProblems(manifest, (text) => at(MANIFEST, text)),
    ...agreementProblems(manifest, lock),
    ...lockEntries(lock).flatMap((entry) =>
      entryProblems(entry, lock).map(
        (problem) => `${at(LOCK, `"${entry.path}": {`)}: ${entry.name}${problem}`,
      ),
    ),
    ...settingsProblems(tree.get(SETTINGS) ?? ""),
  ];
}

function manifestProblems(manifest, at) {
  return groups
    .flatMap((group) => Object.entries(manifest[group] ?? {}))
    .filter(([, version]) => !exact.test(version))
    .map(
      ([name, version]) =>
        `${at(`"${name}": "${version}"`)}: ${name} is "${version}", which is not one version; npm install --save-exact pins it`,
    );
}

function agreementProblems(manifest, lock) {
  const root = lock.packages[""] ?? {};
  const different = groups.filter((group) => !isDeepStrictEqual(manifest[group] ?? {}, root[group] ?? {}));
  const wrong = groups
    .flatMap((group) => Object.entries(manifest[group] ?? {}))
    .filter(
      ([name, version]) => exact.test(version) && lock.packages[`node_modules/${name}`]?.version !== version,
    );
  return [
    ...different.map((group) => `${LOCK}:1: its ${group} are not those of ${MANIFEST}; run npm install`),
    ...wrong.map(
      ([name, version]) => `${LOCK}:1: it has not ${name} ${version}, as ${MANIFEST} says; run npm install`,
    ),
  ];
}

function entryProblems(entry, lock) {
  const { path, version, integrity, license, dev, optional, resolved, link } = entry;
  const canRun = processors.some((processor) => runsOn(entry, processor));
  const lost = Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).filter(
    (name) => !findEntry(lock, path, name),
  );
  return [
    !exact.test(version ?? "") && ` has no exact version; run npm install`,
    link && " is a link to a folder; depend on a version of a registry",
    resolved !== undefined &&
      ` has "resolved", the address of one machine's registry; ${SETTINGS} makes npm omit it`,
    integrity !== undefined &&
      !checksum.test(integrity) &&
      " has no checksum of the kind sha512; run npm install",
    // The registry of whoever made the lock may lack what no machine of ours installs (complete-lock.mjs).
    integrity === undefined &&
      (canRun || !optional) &&
      " has no checksum; run npm install with a registry that has it",
    canRun &&
      !dev &&
      !license &&
      " states no license, which the program's SBOM needs; look it up, or do without it",
    ...lost.map(
      (name) => ` needs ${name}, which is not there; run npm install, then node scripts/complete-lock.mjs`,
    ),
  ].filter(Boolean);
}

function settingsProblems(text) {
  const lines = text.split("\n").map((line) => line.replaceAll(" ", ""));
  const registry = lines.findIndex((line) => /^(@[^:]+:)?registry=|^\/\//.test(line));
  return [
    ...needed
      .filter((line) => !lines.includes(line))
      .map((line) => `${SETTINGS}:1: ${line} is missing; add it`),
    ...(registry < 0
      ? []
      : [
          `${SETTINGS}:${registry + 1}: a registry is a setting of a machine, not of the project; move it to ~/.npmrc`,
        ]),
  ];
}

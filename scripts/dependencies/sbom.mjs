// A software bill of materials of the program in the form of CycloneDX 1.5: what package-lock.json has besides tools. The
// same lock and version give the same bytes. npm sbom needs npm 10, writes a random number and the time, and with
// --omit=dev leaves out packages that tools need too (npm 11.19).
import { createHash } from "node:crypto";
import { findEntry, lockEntries, runsOn } from "./lock-entries.mjs";

/** Packages that bring the runtime. Databases of vulnerabilities know it by this name, and not by that of the package. */
const runtime = /^node-linux-/;

/** The document for `version` of the program on Linux on `processor` (x64 or arm64), from a parsed package-lock.json. */
export function makeSbom(lock, { processor, version }) {
  const root = { ...lock.packages[""], path: "", version };
  const rootRef = `${root.name}@${version}`;
  const entries = lockEntries(lock).filter((entry) => !entry.dev && runsOn(entry, processor));
  const paths = new Set(entries.map(({ path }) => path));
  const dependenciesOf = ({ path, dependencies, optionalDependencies, peerDependencies }) => ({
    ref: path === "" ? rootRef : refOf(lock, path),
    dependsOn: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
      .map((name) => findEntry(lock, path, name))
      .filter((found) => paths.has(found))
      .map((found) => refOf(lock, found))
      .sort(),
  });
  const content = {
    metadata: {
      lifecycles: [{ phase: "build" }],
      component: {
        type: "application",
        "bom-ref": rootRef,
        name: root.name,
        version,
        licenses: [licenseOf(root)],
        purl: purlOf(root),
      },
    },
    components: entries.map((entry) => componentOf(entry, refOf(lock, entry.path))),
    dependencies: [root, ...entries].map(dependenciesOf),
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
    ...content,
  };
}

/** The packages that the document lacks, of files that were bundled: tools that became a part of the program. */
export function notListed({ components }, files) {
  const names = files.map((file) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const listed = new Set(components.map(({ name }) => name));
  return [...new Set(names)].filter((name) => name !== undefined && !listed.has(name));
}

function componentOf(entry, ref) {
  const { name, version, integrity, optional } = entry;
  return {
    type: "library",
    "bom-ref": ref,
    name,
    version,
    scope: optional && !runtime.test(name) ? "optional" : "required",
    hashes: [
      { alg: "SHA-512", content: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") },
    ],
    licenses: [licenseOf(entry)],
    ...(runtime.test(name) && { cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }),
    purl: purlOf(entry),
  };
}

/** One name of the SPDX list, or an expression of several. */
function licenseOf({ license }) {
  return /[ (]/.test(license) ? { expression: license } : { license: { id: license } };
}

function purlOf({ name, version }) {
  return `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;
}

/** Its place distinguishes two of one version. */
function refOf(lock, path) {
  return `${path.replace(/^node_modules\//, "")}@${lock.packages[path].version}`;
}

/** A UUID of version 8 from a text (RFC 9562). */
function uuidOf(text) {
  const hash = createHash("sha256").update(text).digest("hex");
  const variant = "89ab"[Number.parseInt(hash[16], 16) % 4];
  const groups = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    variant + hash.slice(17, 20),
  ];
  return [...groups, hash.slice(20, 32)].join("-");
}

// Adds to package-lock.json what npm leaves out of it when its registry lacks a package that is optional and for
// another kind of machine: without an entry for it, npm ci refuses the lock. Run it after npm install.
import { readFileSync, writeFileSync } from "node:fs";

const systems = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const processors = ["arm64", "x64", "ia32", "ppc64", "s390x", "riscv64", "loong64", "wasm32"];
const processorNames = {
  armv7: "arm",
  arm: "arm",
  ...Object.fromEntries(processors.map((name) => [name, name])),
};
const libraries = { gnu: "glibc", musl: "musl" };

const path = "package-lock.json";
const lock = JSON.parse(readFileSync(path, "utf8"));
const missing = Object.values(lock.packages).flatMap(({ optionalDependencies = {}, dev }) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !(`node_modules/${name}` in lock.packages))
    .map(([name, version]) => [`node_modules/${name}`, entry(name, version, dev)]),
);
const packages = [...Object.entries(lock.packages), ...missing];
lock.packages = Object.fromEntries(packages.sort(([a], [b]) => a.localeCompare(b, "en")));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(
  `${path}: ${missing.length === 0 ? "complete" : `added ${missing.map(([name]) => name).join(", ")}`}`,
);

/** What npm itself would write, but for the checksum of a file that was never seen here. */
function entry(name, version, dev) {
  if (!/^\d/.test(version)) throw new Error(`${name}: which version ${version} means, only a registry knows`);
  const words = name.split(/[-/.]/);
  const system = words.find((word) => systems.includes(word));
  const processor = processorNames[words.find((word) => word in processorNames)];
  const library = libraries[words.find((word) => word in libraries)];
  if (!system && !processor)
    throw new Error(
      `${name}: cannot tell from its name which machines it is for; add it to the lists in scripts/complete-lock.mjs`,
    );
  return {
    version,
    ...(processor && { cpu: [processor] }),
    ...(dev && { dev }),
    ...(library && { libc: [library] }),
    optional: true,
    ...(system && { os: [system] }),
  };
}

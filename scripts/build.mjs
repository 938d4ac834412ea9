// Bundles the sources: dist/app/tremplin.js with its chunks and its SBOM, and the pages of the console in dist/console;
// with --tests one file for each *.test.ts given by its folder (dist/test/..., or TREMPLIN_TEST_OUT).
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { buildConsole } from "./build-console.mjs";
import { buildVersion } from "./build-version.mjs";
import { makeSbom, notListed } from "./dependencies/sbom.mjs";

/**
 * An import of one of Node's modules reads all that the module has, which loads others (http brings a WebSocket client):
 * 60 ms of each start. This reads a name when it is used.
 */
const namesWhenUsed = {
  name: "names-when-used",
  setup({ onResolve, onLoad }) {
    // What is imported while the program runs is there with its names, as without this.
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path, external: true } : { path, namespace: "node-module" },
    );
    onLoad({ filter: /./, namespace: "node-module" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const common = {
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  sourcemap: true,
  plugins: [namesWhenUsed],
  // koffi brings a library for each kind of machine, and is loaded by those alone who need it; playwright is for tests.
  external: ["koffi", "playwright-core"],
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
const { metafile } = await build({
  ...common,
  metafile: true,
  entryPoints: tests
    ? globSync([
        "src/**/*.test.ts",
        "test/**/*.test.ts",
        "test/vm/inside/*.inside.ts",
        "test/console/*.pictures.ts",
        "bench/*.ts",
      ])
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
  const pages = await buildConsole(join(dirname(outdir), "console"));
  const missing = notListed(
    sbom,
    [metafile, pages].flatMap(({ inputs }) => Object.keys(inputs)),
  );
  if (missing.length > 0)
    throw new Error(`dependencies and not devDependencies must have ${missing.join(", ")}`);
}

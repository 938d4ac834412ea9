import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";

/** Libraries that are for those alone who ask for metrics or traces. */
const late = /node_modules\/(@opentelemetry|prom-client|tdigest|bintrees)\//;

test("whoever asks for no metrics and no traces loads no library for them, although the program has them", async () => {
  const { metafile } = await build({
    entryPoints: ["src/cli/main.ts"],
    outdir: "dist/none",
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    external: ["koffi"],
    logLevel: "silent",
  });
  const outputs = Object.entries(metafile.outputs);
  const isLate = ({ inputs }) => Object.keys(inputs).some((input) => late.test(input));
  assert.ok(outputs.some(([, output]) => isLate(output)));
  const libraries = new Set(
    outputs.flatMap(([, { inputs }]) => Object.keys(inputs).flatMap((each) => late.exec(each)?.[1] ?? [])),
  );
  assert.ok(libraries.has("@opentelemetry") && libraries.has("prom-client"));
  for (const main of ["src/cli/main.ts", "src/daemon/main.ts", "src/host/main.ts"]) {
    const begun = outputs.filter(([, { inputs }]) => main in inputs).map(([path]) => path);
    assert.equal(begun.length, 1, main);
    const loaded = new Set(begun);
    for (const path of loaded)
      for (const { path: next, kind } of metafile.outputs[path].imports)
        if (kind === "import-statement" && next in metafile.outputs) loaded.add(next);
    const wrong = [...loaded].filter((path) => isLate(metafile.outputs[path]));
    assert.deepEqual(wrong, [], main);
  }
});

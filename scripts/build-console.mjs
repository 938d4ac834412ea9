// The pages of the console: a program for each, one style sheet and index.html, with hashed names, each also compressed.
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const SOURCES = "src/console";
/** Of all that a browser loads before the first page is complete, compressed by gzip. */
const MAX_FIRST_LOAD = 150_000;

/** Returns what esbuild says of its inputs and outputs. */
export async function buildConsole(outdir) {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const { metafile } = await build({
    entryPoints: {
      console: `${SOURCES}/main.tsx`,
      "sign-in": `${SOURCES}/sign-in.ts`,
      style: `${SOURCES}/style/style.css`,
      icon: `${SOURCES}/icon.svg`,
    },
    outdir: `${outdir}/assets`,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".svg": "copy" },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: ["chrome120", "firefox121", "safari17"],
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
    logLevel: "warning",
  });
  const outputs = Object.entries(metafile.outputs);
  const outputOf = (entry) => outputs.find(([, { entryPoint }]) => entryPoint === `${SOURCES}/${entry}`)[0];
  const pathOf = (entry) => `/${relative(outdir, outputOf(entry))}`;
  const first = firstLoad(metafile, ["main.tsx", "style/style.css", "icon.svg"].map(outputOf));
  const chunks = first.slice(3).map((path) => `<link rel="modulepreload" href="/${relative(outdir, path)}">`);
  const page = readFileSync(`${SOURCES}/index.html`, "utf8")
    .replace("PROGRAM", pathOf("main.tsx"))
    .replace("STYLE", pathOf("style/style.css"))
    .replace("ICON", pathOf("icon.svg"))
    .replace("<!-- CHUNKS -->", chunks.join("\n    "));
  writeFileSync(`${outdir}/index.html`, page);
  for (const name of globSync("**/*.{html,js,css,svg}", { cwd: outdir })) compress(join(outdir, name));
  checkSize([...first, join(outdir, "index.html")]);
  return metafile;
}

/** What is loaded with the entries. What is imported only when it is needed does not count. */
function firstLoad({ outputs }, entries) {
  const wanted = [...entries];
  for (const path of wanted) {
    const imports = outputs[path].imports.filter(
      ({ kind, external }) => kind === "import-statement" && !external,
    );
    wanted.push(...imports.map((each) => each.path).filter((each) => !wanted.includes(each)));
  }
  return wanted;
}

/** Throws where the first page needs too much. */
function checkSize(files) {
  const bytes = files.reduce((sum, path) => sum + statSync(`${path}.gz`).size, 0);
  if (bytes <= MAX_FIRST_LOAD) return;
  throw new Error(
    `the first load of the console has ${bytes} bytes, more than ${MAX_FIRST_LOAD}: import what only some pages need with import()`,
  );
}

function compress(path) {
  const content = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(content));
}

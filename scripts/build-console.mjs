// The pages of the console: a program for each, one style sheet and index.html, with hashed names, each also compressed.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const SOURCES = "src/console";

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
  const pathOf = (entry) => {
    const [path] = outputs.find(([, { entryPoint }]) => entryPoint === `${SOURCES}/${entry}`);
    return `/${relative(outdir, path)}`;
  };
  const page = readFileSync(`${SOURCES}/index.html`, "utf8")
    .replace("PROGRAM", pathOf("main.tsx"))
    .replace("STYLE", pathOf("style/style.css"))
    .replace("ICON", pathOf("icon.svg"));
  writeFileSync(`${outdir}/index.html`, page);
  for (const name of globSync("**/*.{html,js,css,svg}", { cwd: outdir })) compress(join(outdir, name));
  return metafile;
}

function compress(path) {
  const content = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(content));
}

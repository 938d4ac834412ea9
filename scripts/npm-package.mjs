// Builds the npm package: dist/npm/tremplin-VERSION.tgz, with the command line and the API for programs
// (docs/embedding.md). It is not packed from this folder, so that who installs it gets what it needs and no more: what is
// bundled is no dependency of theirs.
//   node scripts/npm-package.mjs [--out DIR]
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";

const PROGRAM = "dist/app/tremplin.js";
/** Those that a program works with too: they must be its own, not a copy. */
const SHARED = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"];

const root = dirname(import.meta.dirname);
const out = resolve(process.argv[2] === "--out" ? process.argv[3] : join(root, "dist/npm"));
const work = mkdtempSync(join(tmpdir(), "npm-package-"));
process.chdir(root);
try {
  addProgram();
  await addClient();
  addDeclarations();
  for (const file of ["LICENSE", "NOTICE"]) cpSync(file, join(work, file));
  cpSync("src/client/README.md", join(work, "README.md"));
  writeFileSync(join(work, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  mkdirSync(out, { recursive: true });
  const words = ["pack", "--ignore-scripts", "--json", "--pack-destination", out];
  const [packed] = Object.values(JSON.parse(execFileSync("npm", words, { cwd: work, encoding: "utf8" })));
  console.log(join(out, packed.filename));
} finally {
  rmSync(work, { recursive: true });
}

/** The command line, on whatever Node.js runs it. */
function addProgram() {
  const env = { ...process.env, TREMPLIN_APP_OUT: join(work, "dist/app") };
  execFileSync(process.execPath, ["scripts/build.mjs"], { env, stdio: "inherit" });
  for (const map of globSync(join(work, "dist/**/*.map"))) rmSync(map);
  const program = join(work, PROGRAM);
  writeFileSync(program, `#!/usr/bin/env node\n${readFileSync(program, "utf8")}`);
  chmodSync(program, 0o755);
}

async function addClient() {
  await build({
    absWorkingDir: root,
    entryPoints: { index: "src/client/index.ts" },
    outdir: join(work, "client"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    external: ["koffi", ...SHARED.flatMap((name) => [name, `${name}/*`])],
    logLevel: "warning",
  });
}

/** Of the API alone: what it is made of inside has none. */
function addDeclarations() {
  const made = join(work, "made");
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: made },
    ...{ rootDir: join(root, "src"), typeRoots: [join(root, "node_modules/@types")] },
  };
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions,
    include: [join(root, "src/client/index.ts")],
  };
  const config = join(work, "tsconfig.json");
  writeFileSync(config, JSON.stringify(settings));
  execFileSync("node_modules/.bin/tsc", ["-p", config], { stdio: "inherit" });
  for (const name of ["index", "connect", "types"]) {
    const text = readFileSync(join(made, `client/${name}.d.ts`), "utf8");
    // TypeScript finds the declarations of a file by the name of what runs.
    const named = text.replaceAll('.ts"', '.js"').replaceAll('"../contract/', '"./contract/');
    writeFileSync(join(work, `client/${name}.d.ts`), named);
  }
  for (const name of ["tremplin_pb", "tremplin/v1/guest_pb", "tremplin/v1/host_pb"])
    cpSync(`src/contract/${name}.d.ts`, join(work, `client/contract/${name}.d.ts`));
  rmSync(made, { recursive: true });
  rmSync(config);
}

function manifest() {
  const own = JSON.parse(readFileSync("package.json", "utf8"));
  const { name, version, description, keywords, author, license, type, dependencies } = own;
  return {
    ...{ name, version, description, keywords, author, license, type },
    engines: { node: ">=22.13" },
    os: ["linux"],
    bin: { tremplin: PROGRAM },
    exports: {
      ".": { types: "./client/index.d.ts", default: "./client/index.js" },
      "./package.json": "./package.json",
    },
    types: "./client/index.d.ts",
    files: ["client", "dist", "NOTICE"],
    dependencies: Object.fromEntries(SHARED.map((each) => [each, dependencies[each]])),
    // For vsock, and for a daemon and a host.
    optionalDependencies: { koffi: dependencies.koffi },
  };
}

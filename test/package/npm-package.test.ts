import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { version } from "../../src/daemon/version.ts";
import { CommandLineFixture } from "../support/command-line.ts";
import { repository } from "../support/repository.ts";

const execute = promisify(execFile);
const page = readFileSync(join(repository, "docs/embedding.md"), "utf8");
const SOCKET = "/run/tremplin/host.sock";

/** The example of a language in docs/embedding.md. */
function example(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(page)?.[1] ?? "";
}

/** A program of somebody who has the npm package and nothing else of this repository. */
describe("the npm package", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "consumer-"));
    const packing = await run(process.execPath, [
      ...[join(repository, "scripts/npm-package.mjs"), "--out", folder],
    ]);
    const tarball = packing.trim().split("\n").at(-1) ?? "";
    await writeFile(join(folder, "package.json"), '{ "type": "module", "private": true }');
    // koffi is for vsock, and optional.
    await run("npm", ["install", "--omit=optional", "--no-audit", "--no-fund", "--prefer-offline", tarball]);
  });
  after(() => rm(folder, { recursive: true }));

  async function run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await execute(program, args, { cwd: folder, timeout: 240_000 });
    return stdout;
  }

  /** A host with one guest that has a stopped container, and an example for it. */
  async function placeFor(t: TestContext, language: string) {
    const place = await CommandLineFixture.open(t);
    place.guest.containers.set("penguin", "stopped");
    const text = example(language);
    assert.ok(text.includes(SOCKET), `docs/embedding.md has no example in ${language}`);
    return { place, text: text.replaceAll(SOCKET, join(place.folder, "host.sock")) };
  }

  test("brings few others along, and none of its sources", () => {
    const installed = readdirSync(join(folder, "node_modules"), { withFileTypes: true })
      .filter(({ name }) => !name.startsWith("."))
      .flatMap(({ name }) =>
        name.startsWith("@")
          ? readdirSync(join(folder, "node_modules", name)).map((each) => `${name}/${each}`)
          : [name],
      );
    assert.deepEqual(installed.sort(), [
      "@bufbuild/protobuf",
      "@connectrpc/connect",
      "@connectrpc/connect-node",
      "tremplin",
    ]);
    const files = readdirSync(join(folder, "node_modules/tremplin"), { recursive: true }) as string[];
    const wrong = files.filter((file) =>
      /(?<!\.d)\.ts$|\.map$|\.test\.|(^|\/)(src|test|node_modules)\//.test(file),
    );
    assert.deepEqual(wrong, []);
  });

  test("has a command line for the Node.js that is there", async (t) => {
    const program = join(folder, "node_modules/.bin/tremplin");
    assert.match(await run(program, ["--version"]), new RegExp(`^${version.replace(/\+.*/, "")}`));
    const { place } = await placeFor(t, "ts");
    const list = await run(program, ["list", "--json", "--host", `unix:${join(place.folder, "host.sock")}`]);
    assert.match(list, /"penguin"/);
  });

  test("has declarations with which the example of the documentation compiles, and the example works", async (t) => {
    const { text } = await placeFor(t, "ts");
    await mkdir(join(folder, "program"), { recursive: true });
    await writeFile(join(folder, "program/main.ts"), text);
    const misuse = 'import { connectHost } from "tremplin";\nconst host = connectHost();\n';
    await writeFile(
      join(folder, "program/wrong.ts"),
      `${misuse}await host.guest().tremplin.startContainer({ name: 1 });\n`,
    );
    const compile = (name: string) =>
      spawnSync(
        join(repository, "node_modules/.bin/tsc"),
        [
          ...["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"],
          ...["--target", "esnext", "--module", "nodenext", "--lib", "esnext,dom", "--types", "node"],
          ...["--typeRoots", join(repository, "node_modules/@types"), join(folder, `program/${name}.ts`)],
        ],
        { cwd: folder, encoding: "utf8" },
      );
    const good = compile("main");
    assert.equal(good.stdout, "");
    assert.equal(good.status, 0);
    assert.match(compile("wrong").stdout, /'name' does not exist/);
    const output = await run(process.execPath, ["--no-warnings", join(folder, "program/main.ts")]);
    assert.match(output, /^vm penguin/m);
    assert.match(output, /^\S+ true started$/m);
    assert.match(output, /^true there is no guest nobody/m);
    assert.match(output, /^\d+n vm \S+ start$/m);
  });

  test("and so do those in Python, Go and for a shell", async (t) => {
    const python = await placeFor(t, "python");
    const stdout = await run("/usr/bin/python3", ["-c", python.text]);
    assert.match(stdout, /'status': 'STARTING'.*\nSUCCEEDED\n/);
    const shell = await placeFor(t, "sh");
    const answers = await run("sh", ["-euc", shell.text]);
    assert.match(answers, /"name":"penguin"/);
    assert.match(answers, /^tremplin-operation: /im);
    const go = await placeFor(t, "go");
    if (spawnSync("go", ["version"]).error) return;
    await writeFile(join(folder, "main.go"), go.text);
    assert.match(await run("go", ["run", "main.go"]), /^STARTING/);
  });
});

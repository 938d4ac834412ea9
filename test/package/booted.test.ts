import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { buildPackage, copyOfDebian, outcomeOf, withVersion } from "./support.ts";

const isLong = process.env.TREMPLIN_TEST_ALL === "1";
const hasNspawn = !spawnSync("systemd-nspawn", ["--version"]).error;
const skip = !isLong ? "only in scripts/test --all" : hasNspawn ? false : "NOT TESTED: no systemd-nspawn";
const SHARED = "var/lib/tremplin/shared";

/** A Debian with systemd as its first process, on this kernel, with namespaces and a network of its own. */
describe("the Debian package, where systemd runs", { skip }, () => {
  let kept: KeptFolder;
  let path: string;
  let root: string;
  let machine: ChildProcess;
  let leader: number;

  before(async () => {
    kept = await keptFolder();
    path = await buildPackage(kept.path);
    root = await copyOfDebian(kept.path);
    await boot();
  });
  after(async () => {
    if (machine?.exitCode === null) {
      machine.kill("SIGKILL");
      await once(machine, "exit");
    }
    await kept?.[Symbol.asyncDispose]();
  });

  async function boot(): Promise<void> {
    const words = ["--quiet", "--register=no", "--keep-unit", "--directory", root, "--private-network"];
    const rights = ["--capability=all", "--system-call-filter=@keyring bpf", "--console=read-only", "--boot"];
    // It must not outlive a test that is killed.
    const all = ["--pdeathsig=KILL", "systemd-nspawn", ...words, ...rights];
    machine = spawn("setpriv", all, { stdio: ["ignore", "ignore", "inherit"] });
    leader = await eventually("systemd", async () => {
      const children = `/proc/${machine.pid}/task/${machine.pid}/children`;
      const pid = Number((await readFile(children, "utf8")).trim().split(" ")[0]);
      const name = pid > 0 ? await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "") : "";
      return name === "systemd\n" ? pid : undefined;
    });
    await eventually(
      "a booted system",
      async () => {
        const { output } = await inside("systemctl", "is-system-running");
        return /^(running|degraded)/.test(output) || undefined;
      },
      120_000,
    );
  }

  function inside(...words: readonly string[]) {
    const spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
    return outcomeOf("nsenter", ["--target", String(leader), ...spaces, "--", ...words]);
  }

  async function succeed(...words: readonly string[]): Promise<string> {
    const { code, output } = await inside(...words);
    assert.equal(code, 0, `${words.join(" ")}: ${output}`);
    return output;
  }

  async function install(file: string): Promise<void> {
    await copyFile(file, join(root, "root", basename(file)));
    await succeed("dpkg", "--install", `/root/${basename(file)}`);
  }

  const mainPid = async () => (await succeed("systemctl", "show", "-P", "MainPID", "tremplin")).trim();
  /** The first process of the container: another one would be another start of it. */
  const containerPid = async () => (await succeed("pgrep", "-f", "^init")).trim();
  const version = async () => /version (\S+),/.exec(await succeed("tremplin", "status"))?.[1];

  async function anotherDaemon(earlier: string): Promise<void> {
    await eventually(
      "another daemon",
      async () => {
        const pid = await mainPid();
        const { output } = await inside("tremplin", "status");
        return (pid !== "0" && pid !== earlier && /is running/.test(output)) || undefined;
      },
      60_000,
    );
  }

  test("its services start, and up starts the engine by them", async () => {
    await install(await withVersion(path, "0.0.1", kept.path));
    const units = ["tremplin.socket", "tremplin-host", "tremplin"];
    assert.equal(await succeed("systemctl", "is-active", ...units), "active\n".repeat(3));
    assert.match(await succeed("tremplin", "up"), /^host +already running.*\nengine .* is running/ms);
    await using image = await tinyImage();
    await copyFile(image.rootfs, join(root, SHARED, "rootfs.tar.gz"));
    await copyFile(image.metadata, join(root, SHARED, "metadata.tar.gz"));
    const files = ["--rootfs", `/${SHARED}/rootfs.tar.gz`, "--metadata", `/${SHARED}/metadata.tar.gz`];
    await succeed("tremplin", "create", "tiny", ...files);
    await succeed("tremplin", "start", "tiny");
  });

  test("a restart, a kill, a hang and an upgrade of the daemon leave the container running", async () => {
    const container = await containerPid();
    let daemon = await mainPid();
    const after = async (what: string): Promise<void> => {
      await anotherDaemon(daemon);
      daemon = await mainPid();
      assert.equal(await containerPid(), container, what);
    };
    await succeed("systemctl", "restart", "tremplin");
    await after("restart");
    await succeed("kill", "-KILL", daemon);
    await after("kill");
    const limit =
      "mkdir -p /run/systemd/system/tremplin.service.d; cd /run/systemd/system/tremplin.service.d";
    await succeed("sh", "-c", `${limit}; printf '[Service]\\nWatchdogSec=8\\n' >watchdog.conf`);
    await succeed("systemctl", "daemon-reload");
    await succeed("systemctl", "restart", "tremplin");
    await after("restart with a shorter watchdog");
    await succeed("kill", "-STOP", daemon);
    await after("hang");
    await install(path);
    await after("upgrade");
    assert.match((await version()) ?? "", /^0\.1\.0/);
  });

  test("members of the group use it without sudo, others learn how", async () => {
    await succeed("useradd", "anna");
    const refused = await inside("su", "anna", "-c", "tremplin list");
    assert.equal(refused.code, 4);
    assert.match(refused.output, /join the group/);
    await succeed("usermod", "-aG", "tremplin", "anna");
    assert.match(await succeed("su", "anna", "-c", "tremplin list"), /tiny +running/);
    assert.equal((await inside("su", "anna", "-c", "ls /run/tremplin/guest.sock")).code, 0);
    assert.notEqual((await inside("su", "anna", "-c", "cat /var/lib/tremplin/daemon-id")).code, -1);
  });

  test("down stops all of it, and up starts it again", async () => {
    assert.match(await succeed("tremplin", "down"), /^daemon +stopped, with the containers and the engine$/m);
    assert.equal((await inside("tremplin", "list")).code, 4);
    assert.match(await succeed("tremplin", "up"), /^host +started/m);
    assert.match(await succeed("tremplin", "list"), /tiny +running/);
  });

  test("a power-off stops the containers before the engine, and the next boot starts the engine", async () => {
    const exited = once(machine, "exit");
    await succeed("systemctl", "poweroff");
    await exited;
    await boot();
    const running = async () => /is running/.test((await inside("tremplin", "status")).output) || undefined;
    await eventually("the engine", running, 60_000);
    const isBack = async () => /tiny +running/.test((await inside("tremplin", "list")).output) || undefined;
    await eventually("the container that ran", isBack, 60_000);
    const log = await succeed("journalctl", "--no-pager", "--boot=-1", "--unit=tremplin");
    assert.match(log, /"signal":"SIGPWR"/);
  });

  test("a removal stops the containers, and a purge leaves them on the disk", async () => {
    await succeed("dpkg", "--remove", "tremplin");
    assert.equal((await inside("pgrep", "-x", "lxd")).code, 1);
    const output = await succeed("dpkg", "--purge", "tremplin");
    assert.match(output, /stays, with the containers/);
    await succeed("test", "-d", "/var/lib/tremplin/lxd");
  });
});

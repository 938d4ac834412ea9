import assert from "node:assert/strict";
import { type ExecFileException, execFile, spawnSync } from "node:child_process";
import { copyFile, lstat, readdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { programFiles } from "../../src/machine/boot-files.ts";
import { diskUse } from "../../src/machine/container-disk.ts";
import { MachineFolder } from "../../src/machine/machine-folder.ts";
import { sendMonitorCommand } from "../../src/machine/monitor.ts";
import { eventually } from "../support/eventually.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { repository } from "../support/repository.ts";
import { execute } from "../support/system-state.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { cachedSystem } from "./cached-system.ts";

const canEmulate = process.arch === "x64" && spawnSync("qemu-system-x86_64", ["--version"]).status === 0;
const skip = canEmulate ? false : "NOT TESTED: tremplin machine needs an x86-64 with qemu-system-x86_64";
const MIB = 1024 ** 2;
/** A machine does not need root: these tests run as another user. */
const AS_USER = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];

let kept: KeptFolder;
let machine: MachineFolder;
let host: string;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line as a user. */
function tremplin(words: readonly string[], input?: Buffer): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const env = { ...process.env, HOME: kept.path, TREMPLIN_MACHINES: kept.path, TREMPLIN_HOST: host };
  const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
    resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
  const program = [...AS_USER, join(kept.path, "bin/tremplin"), ...words];
  const child = execFile(program[0] as string, program.slice(1), { env }, done);
  child.stdin?.end(input);
  return promise;
}

/** Runs the command line, which must succeed. Returns its output. */
async function succeed(words: readonly string[], input?: Buffer): Promise<string> {
  const { code, stdout, stderr } = await tremplin(words, input);
  assert.equal(code, 0, `tremplin ${words.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

async function newMachine(name: string): Promise<MachineFolder> {
  const folder = new MachineFolder(name, kept.path);
  await execute("mkdir", [folder.path]);
  await execute("cp", ["-r", "--sparse=always", "--reflink=auto", await cachedSystem(), folder.system]);
  await execute("chown", ["-R", "nobody:nogroup", folder.path]);
  return folder;
}

async function pidOf(folder: MachineFolder): Promise<number> {
  return (JSON.parse(await readFile(join(folder.run, "machine.pid"), "utf8")) as { pid: number }).pid;
}

before(async () => {
  if (skip) return;
  kept = await keptFolder();
  // In a folder that a user who is not root can read.
  await execute("cp", ["-r", "--parents", ...programFiles, kept.path], { cwd: repository });
  await execute("chown", ["nobody:nogroup", kept.path]);
  host = `unix:${join(kept.path, "default/run/host.sock")}`;
  machine = await newMachine("default");
});
after(async () => {
  if (skip) return;
  for (const name of ["default", "other"])
    await tremplin(["machine", "down", "--timeout", "0", "--name", name]);
  await kept[Symbol.asyncDispose]();
});

test("up boots the machine, connects the host to it and starts the engine", { skip }, async () => {
  assert.match(await succeed(["machine", "status"]), /does not exist yet/);
  const output = await succeed(["machine", "up", "--disk", "8G", "--memory", "1536"]);
  assert.match(output, /started/);
  const status = JSON.parse(await succeed(["machine", "status", "--json"]));
  assert.equal(status.state, "running");
  assert.equal(status.disk.size, 8 * 1024 * MIB);
  assert.ok(status.disk.used < 200 * MIB, `${status.disk.used}`);
  assert.equal(status.running.memory, 1536);
  assert.ok(["kvm", "tcg"].includes(status.running.accelerator));
});

test("a second up changes nothing, and rejects changes that need a start", { skip }, async () => {
  const pid = await pidOf(machine);
  assert.match(await succeed(["machine", "up"]), /already running/);
  assert.equal(await pidOf(machine), pid);
  const larger = await tremplin(["machine", "up", "--memory", "1600"]);
  assert.match(larger.stderr, /run tremplin machine down first/);
  const shrunk = await tremplin(["machine", "up", "--disk", "4G"]);
  assert.match(shrunk.stderr, /cannot shrink/);
});

test("the disk grows while the machine runs", { skip }, async () => {
  assert.match(await succeed(["machine", "up", "--disk", "9G"]), /already running/);
  assert.equal((await diskUse(machine.disk))?.size, 9 * 1024 * MIB);
  const space = ["machine", "shell", "--", "df", "--block-size=1", "--output=size", "/mnt/stateful"];
  assert.equal((await succeed(space)).split("\n")[1]?.trim(), String(9 * 1024 * MIB));
});

test("shell passes arguments, input and exit status on", { skip }, async () => {
  const script = 'printf "%s|" "$@"; cat; exit 7';
  const words = ["machine", "shell", "--", "sh", "-c", script, "sh", "a b", "it's"];
  const { code, stdout } = await tremplin(words, Buffer.from("typed"));
  assert.deepEqual([code, stdout], [7, "a b|it's|typed"]);
});

test("a clock that is behind, as after a sleep of the host, is set again", { skip }, async () => {
  const inside = (...words: string[]) => succeed(["machine", "shell", "--", ...words]);
  await inside("date", "--set=-8 hours");
  await eventually(
    "the time of the host",
    async () => {
      const behind = Date.now() / 1000 - Number(await inside("date", "+%s"));
      return Math.abs(behind) < 60 || undefined;
    },
    60_000,
  );
});

test("the machine can ask the host's name server over IPv4 and IPv6", { skip }, async () => {
  const script = 'grep -c "^nameserver" /etc/resolv.conf; ip -6 route get fec0::3; ip -6 route show default';
  const [count, route, ...defaults] = (await succeed(["machine", "shell", "--", "sh", "-c", script]))
    .trim()
    .split("\n");
  assert.equal(count, "2");
  assert.match(route ?? "", /^fec0::3 .* src fec0::15/);
  assert.deepEqual(defaults, []);
});

test("the shared folder has the same path on both sides", { skip }, async () => {
  await using image = await tinyImage();
  const at = (name: string): string => join(machine.shared, name);
  await copyFile(image.rootfs, at("rootfs.tar.gz"));
  await copyFile(image.metadata, at("metadata.tar.gz"));
  await succeed(["create", "tiny", "--rootfs", at("rootfs.tar.gz"), "--metadata", at("metadata.tar.gz")]);
  await succeed(["start", "tiny"]);
  await succeed(["export", "tiny", "tiny.tar.gz", "--shared"]);
  const { stdout } = await execute("tar", ["-tf", at("tiny.tar.gz")]);
  assert.match(stdout, /^rootfs\/bin\/busybox$/m);
  await succeed(["import", "again", at("tiny.tar.gz"), "--shared"]);
  await succeed(["delete", "again", "--yes"]);
});

test("QEMU is confined, and has no rights of root", { skip }, async () => {
  const status = await readFile(`/proc/${await pidOf(machine)}/status`, "utf8");
  assert.match(status, /^NoNewPrivs:\t1$/m);
  assert.match(status, /^Seccomp:\t2$/m);
  assert.match(status, /^CapEff:\t0+$/m);
});

test("what the machine makes in the shared folder is a plain file of the user on the host", {
  skip,
}, async () => {
  const make = `cd "$1"; touch set-id; chmod 6755 set-id; mknod disk b 259 0; mkfifo pipe; ln -s /etc/shadow link
    mkdir -m 2777 folder; touch folder/foreign; chown 1000:1000 folder/foreign; stat -c %A:%u * folder/foreign`;
  const script = ["machine", "shell", "--", "sh", "-c", make, "sh", machine.shared];
  const seen = await succeed(script);
  for (const [kind, uid] of [
    ["-rwsr-sr-x", 0],
    ["brw-r--r--", 0],
    ["prw-r--r--", 0],
    ["lrwxrwxrwx", 0],
    ["drwxrwsrwx", 0],
    ["-rw-r--r--", 1000],
  ]) {
    assert.ok(seen.includes(`${kind}:${uid}\n`), `the machine sees no ${kind}:${uid}: ${seen}`);
  }
  const { uid, gid } = await stat(machine.shared);
  for (const name of ["set-id", "disk", "pipe", "link", "folder", "folder/foreign", "tiny.tar.gz"]) {
    const made = await lstat(join(machine.shared, name));
    assert.ok(name === "folder" ? made.isDirectory() : made.isFile(), name);
    assert.equal((made.mode & 0o7777).toString(8), name === "folder" ? "700" : "600", name);
    assert.deepEqual([made.uid, made.gid], [uid, gid], name);
  }
});

test("no link in the shared folder leads the machine out of it", { skip }, async () => {
  // Such links exist where an older version ran the machine: its links were links on the host.
  const links = { keys: "../keys", settings: "../settings.json", absent: "../planted" };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(machine.shared, name));
  const settings = await readFile(join(machine.path, "settings.json"), "utf8");
  const follow = `cd "$1"; for each in keys/ca.crt settings; do cat $each && exit 7; done
    for each in keys/new settings absent; do (echo x >$each) && exit 8; done; rm keys settings absent`;
  const { code, stdout } = await tremplin([
    ...["machine", "shell", "--", "sh", "-c", follow, "sh"],
    machine.shared,
  ]);
  assert.deepEqual([code, stdout], [0, ""]);
  assert.equal(await readFile(join(machine.path, "settings.json"), "utf8"), settings);
  assert.deepEqual(
    (await readdir(machine.path)).filter((name) => name === "planted"),
    [],
  );
});

test("deleted files of a container free their space on the host", { skip }, async () => {
  assert.match(await succeed(["list"]), /tiny +running/);
  const root = "/mnt/stateful/tremplin/lxd/storage-pools/default/containers/tiny/rootfs";
  const fill = 'dd if=/dev/urandom of="$1/filled" bs=1M count=64 conv=fsync 2>&1';
  await succeed(["machine", "shell", "--", "sh", "-c", fill, "sh", root]);
  const full = (await diskUse(machine.disk))?.used ?? 0;
  assert.ok(full > 64 * MIB, `${full}`);
  await succeed(["machine", "shell", "--", "rm", join(root, "filled")]);
  await succeed(["machine", "shell", "--", "btrfs", "subvolume", "sync", "/mnt/stateful"]);
  await succeed(["machine", "shell", "--", "sync"]);
  await eventually("the space on the host", async () => {
    const { used = full } = (await diskUse(machine.disk)) ?? {};
    return used < full - 60 * MIB ? used : undefined;
  });
});

test("a machine that dies while it boots is reported with its console, and another keeps running", {
  skip,
}, async () => {
  const other = await newMachine("other");
  const up = tremplin(["machine", "up", "--name", "other", "--memory", "512"]);
  const pid = await eventually("QEMU", () => pidOf(other).catch(() => undefined));
  process.kill(pid, "SIGKILL");
  const { code, stderr } = await up;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /the machine ended; the end of .*other\/run\/machine\.log/);
  assert.match(await succeed(["machine", "status", "--name", "other"]), /is off|has died/);
  assert.match(await succeed(["machine", "status"]), /is running/);
});

/** Plugs a tablet into the first port of the machine. */
const plugIn = () =>
  sendMonitorCommand(machine.monitor, "device_add", {
    driver: "usb-tablet",
    id: "tablet",
    bus: "xhci.0",
    port: "1",
  });
/** Until the container has the node of a device, in its folder of the first bus. */
const hasDevice = () =>
  eventually("the device in the container", async () => {
    const { code, stdout } = await tremplin(["shell", "tiny", "ls", "/dev/bus/usb/001"]);
    return (code === 0 && stdout.trim()) || undefined;
  });

test("a device in a port of the machine reaches a container", { skip }, async () => {
  await succeed(["usb", "attach", "tiny", "1"]);
  await plugIn();
  assert.match(await hasDevice(), /^\d{3}$/);
  assert.match(await succeed(["usb"]), /^1 +USB 2 +tiny +QEMU .*Tablet/m);
});

test("a killed machine starts again with its disk, settings and USB attachments", { skip }, async () => {
  process.kill(await pidOf(machine), "SIGKILL");
  const hasDied = async () => /has died/.test(await succeed(["machine", "status"])) || undefined;
  await eventually("the end of the machine", hasDied);
  assert.match(await succeed(["machine", "up"]), /started/);
  const status = JSON.parse(await succeed(["machine", "status", "--json"]));
  assert.deepEqual([status.disk.size, status.running.memory], [9 * 1024 * MIB, 1536]);
  // It ran when the machine was killed.
  assert.match(await succeed(["list"]), /tiny +running/);
  await plugIn();
  await hasDevice();
});

test("down powers the machine off; its shell reports that", { skip }, async () => {
  assert.match(await succeed(["machine", "down"]), /machine +powered off\nhost +stopped/);
  assert.match(await readFile(join(machine.run, "machine.log"), "utf8"), /Power down/);
  assert.match(await succeed(["machine", "down"]), /was not running/);
  const { code, stderr } = await tremplin(["machine", "shell", "--", "true"]);
  assert.equal(code, 4);
  assert.match(stderr, /is not running: run tremplin machine up/);
});

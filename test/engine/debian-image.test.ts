import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { lockFile } from "../../src/base/files/file-lock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { debianImage } from "../../src/daemon/images/debian-image.ts";
import { debianReleases } from "../../src/daemon/images/debian-releases.ts";
import type { ImageProgress } from "../../src/daemon/images/mmdebstrap-progress.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { inContainer } from "../support/in-container.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PASSWORD, PrivateMirror } from "../support/private-mirror.ts";
import { repository } from "../support/repository.ts";
import { execute, mountsUnder, processesWith } from "../support/system-state.ts";

const never = new AbortController().signal;
let kept: KeptFolder | undefined;
let folder = "";
before(async () => {
  kept = await keptFolder();
  folder = join(kept.path, "images");
});
after(() => kept?.[Symbol.asyncDispose]());

/** Entries that look like an image. */
const images = async () => (await readdir(folder)).filter((name) => !name.startsWith("."));

async function built(release: string, where: string, aptFolder?: string) {
  const told: ImageProgress[] = [];
  const build = debianImage({ release, folder: where, signal: never, log: silentLogger, aptFolder });
  for (;;) {
    const { done, value } = await build.next();
    if (done) return { image: value, told };
    told.push(value);
  }
}

test("a failed build reports the tool's reason and leaves no image", async () => {
  const { http_proxy } = process.env;
  process.env.http_proxy = "http://127.0.0.1:9";
  try {
    const cause =
      /cannot build the image of Debian bookworm: mmdebstrap .*127\.0\.0\.1:9.*Connection refused/s;
    await assert.rejects(built("bookworm", folder), cause);
  } finally {
    if (http_proxy === undefined) delete process.env.http_proxy;
    else process.env.http_proxy = http_proxy;
  }
  assert.deepEqual(await images(), []);
});

test("a build that is killed ends completely and leaves no image", {
  timeout: 120_000,
}, async () => {
  const program = `
    const { debianImage } = await import(${JSON.stringify(join(repository, "src/daemon/images/debian-image.ts"))});
    const { silentLogger } = await import(${JSON.stringify(join(repository, "src/base/logger.ts"))});
    const signal = new AbortController().signal;
    const options = { release: "bookworm", folder: ${JSON.stringify(folder)}, signal, log: silentLogger };
    for await (const { percent } of debianImage(options)) console.log(percent);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const percent of createInterface({ input: child.stdout })) {
    if (Number(percent) >= 30) child.kill("SIGKILL");
  }
  const [lockName] = (await readdir(folder)).filter((name) => name.endsWith(".lock"));
  assert.ok(lockName);
  // Free once the last process of the build has ended.
  await using _ = await lockFile(join(folder, lockName), never);
  assert.deepEqual(await processesWith(folder), []);
  assert.deepEqual(await mountsUnder(folder), []);
  assert.deepEqual(await images(), []);
});

test("concurrent calls share one build, whose private mirror stays out of the image, and a later call reuses it", {
  timeout: 300_000,
}, async () => {
  await using mirror = await PrivateMirror.open();
  const apt = join(folder, ".apt");
  await mkdir(apt, { recursive: true });
  const suites = ["bookworm", "bookworm-updates"].map((suite) => `deb ${mirror.url} ${suite} main\n`);
  const chrome = "deb [arch=amd64] http://127.0.0.1:9/linux/chrome/deb stable main\n";
  await writeFile(join(apt, "sources.list"), [chrome, ...suites].join(""));
  const calls = await Promise.all([built("bookworm", folder, apt), built("bookworm", folder, apt)]);
  const [quiet, busy] = calls.sort((a, b) => a.told.length - b.told.length);
  assert.ok(quiet && busy);
  assert.deepEqual(
    quiet.told.map(({ message }) => message),
    ["Waiting for a running build of the same image"],
  );
  assert.ok(busy.told.length > 200, `only ${busy.told.length} steps were told`);
  assert.deepEqual(quiet.image, busy.image);
  assert.deepEqual((await images()).length, 1);
  assert.deepEqual((await built("bookworm", folder)).told, []);

  for (const { told } of calls) assert.doesNotMatch(JSON.stringify(told), new RegExp(PASSWORD));
  const sources = ["--zstd", "-xOf", busy.image.rootfsPath, "./etc/apt/sources.list.d/debian.sources"];
  assert.match(
    (await execute("tar", sources)).stdout,
    /^URIs: http:\/\/deb\.debian\.org\/debian\nSuites: bookworm bookworm-updates$/m,
  );
  const search = 'tar --zstd -xOf "$1" | grep --text --count -e "$2"';
  await assert.rejects(execute("sh", ["-c", search, "sh", busy.image.rootfsPath, PASSWORD]), {
    stdout: "0\n",
  });

  const { stdout } = await execute("tar", ["--zstd", "-tvf", busy.image.rootfsPath], { maxBuffer: 1 << 26 });
  const files = stdout.split("\n");
  const unwanted =
    / \.\/(var\/(cache\/apt\/archives|lib\/apt\/lists)\/(?!lock$).+[^/]|etc\/ssh\/ssh_host.*|etc\/hostname|dev\/.+)$/;
  assert.deepEqual(
    files.filter((line) => unwanted.test(line)),
    [],
  );
  assert.match(files.find((line) => line.endsWith(" ./etc/machine-id")) ?? "", / root\/root +0 | 0\/0 +0 /);
});

test("an image is rebuilt after a month, and the old one exists until the new one is complete", async () => {
  const clock = new ManualClock();
  clock.advance(Date.now() - clock.now() + 31 * 24 * 60 * 60 * 1000);
  const before = await images();
  const rebuild = debianImage({ release: "bookworm", folder, signal: never, log: silentLogger, clock });
  assert.equal((await rebuild.next()).done, false);
  await rebuild.return({ rootfsPath: "", metadataPath: "" });
  assert.deepEqual(await images(), before);
  assert.deepEqual((await built("bookworm", folder)).told, []);
  assert.deepEqual(await processesWith(folder), []);
});

for (const { codename, version } of debianReleases) {
  test(`Debian ${codename} boots in a container, has an address and reaches its mirror`, {
    timeout: 400_000,
  }, async () => {
    await using daemon = await startDaemon();
    await daemon.tremplin.startLxd({});
    const cached = join(process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin", "images");
    const { image } = await built(codename, codename === "bookworm" ? folder : cached);
    await execute("cp", ["--recursive", "--", join(image.rootfsPath, ".."), daemon.shared]);
    const inShared = (path: string) => join(daemon.shared, basename(join(path, "..")), basename(path));
    assert.equal((await daemon.listener.final("startLxd")).failureReason, "");
    await daemon.tremplin.createContainer({
      containerName: "c1",
      rootfsPath: inShared(image.rootfsPath),
      metadataPath: inShared(image.metadataPath),
    });
    assert.equal((await daemon.listener.final("create", "c1")).failureReason, "");
    const { osRelease } = await daemon.tremplin.startContainer({ containerName: "c1" });
    assert.equal(osRelease?.versionId, version);
    assert.equal((await daemon.listener.final("start", "c1")).failureReason, "");
    assert.ok((await address(daemon)).startsWith(daemon.addressPrefix));

    const run = (...command: string[]) => inContainer(daemon, "c1", ...command);
    const state = await run("systemctl", "is-system-running", "--wait").catch((error) => error.stdout.trim());
    assert.equal(state, "running", await run("systemctl", "--failed", "--no-legend"));
    assert.equal(await run("hostname"), "c1");
    assert.match(await run("cat", "/etc/machine-id"), /^[0-9a-f]{32}$/);
    assert.match(await run("cat", "/etc/default/locale"), /^LANG=C\.UTF-8$/m);
    await run("sudo", "--non-interactive", "true");
    for (const tool of ["ip", "less", "nano", "ps", "loginctl"]) await run("which", tool);
    await run("apt-get", "--quiet", "-o", "APT::Update::Error-Mode=any", "update");
    const suites = await run("sh", "-c", "cd /var/lib/apt/lists && echo *InRelease");
    for (const suite of ["", "-updates", "-security"])
      assert.match(suites, new RegExp(`${codename}${suite}_InRelease`));
  });
}

/** The dotted address of c1, once it has one; on the wire its first number is the lowest byte. */
function address(daemon: TestDaemon): Promise<string> {
  return eventually("the address of c1", async () => {
    const { ipv4Address } = await daemon.tremplin.getContainerInfo({ containerName: "c1" });
    const bytes = [0, 8, 16, 24].map((shift) => (ipv4Address >>> shift) & 255);
    return ipv4Address === 0 ? undefined : bytes.join(".");
  });
}

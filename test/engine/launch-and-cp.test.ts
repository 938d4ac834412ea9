import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../src/base/async/clock.ts";
import { run } from "../../src/cli/program.ts";
import { formatAddress } from "../../src/transport/address.ts";
import { RecordedIo } from "../support/command-line.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { type HostOf, hostOf } from "../support/host-of.ts";
import { inContainer } from "../support/in-container.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** These containers have no network, so nothing is gained by waiting for an address. */
const hurried = { ...systemClock, elapsed: () => 60 * systemClock.elapsed() };

describe("launch and cp with an engine, through the host", () => {
  let daemon: TestDaemon;
  let host: HostOf;
  let here: string;

  before(async () => {
    daemon = await launchedDaemon();
    host = await hostOf(daemon);
    daemon.listener.answering = (notice) => host.forward(notice);
    here = await mkdtemp(join(tmpdir(), "cp-"));
    await createTiny(daemon, "web");
  });
  after(async () => {
    await host?.[Symbol.asyncDispose]();
    await daemon?.[Symbol.asyncDispose]();
    await rm(here, { recursive: true, force: true });
  });

  async function tremplin(line: string, io = new RecordedIo()) {
    const code = await run([...line.split(" "), "--host", formatAddress(host.address)], io);
    return { code, stdout: io.stdout, stderr: io.stderr };
  }
  const sh = (script: string) => inContainer(daemon, "web", "sh", "-c", script);

  async function makeTree(): Promise<string> {
    const tree = join(here, "tree");
    await mkdir(join(tree, "deep/er"), { recursive: true });
    await mkdir(join(tree, "empty"));
    await writeFile(join(tree, "deep/er/run"), "#!/bin/sh\n");
    await chmod(join(tree, "deep/er/run"), 0o750);
    await writeFile(join(tree, "large"), Buffer.alloc(5_000_001, "0123456789"));
    await writeFile(join(tree, "\u00fcml\nine"), "odd");
    await symlink("/etc/nowhere", join(tree, "link"));
    await utimes(join(tree, "large"), 1_000_000_000, 1_000_000_000);
    return tree;
  }

  test("a tree goes in and comes back as it was, stopped and running", async () => {
    const tree = await makeTree();
    for (const state of ["stopped", "running"]) {
      if (state === "running") await startContainer(daemon, "web");
      const sent = await tremplin(`cp ${tree} web:/srv/${state}/ --owner 1000:42`);
      assert.equal(sent.code, 0, sent.stderr);
      assert.equal(sent.stdout, `copied 4 files, 4.8 MiB, to web:/srv/${state}\n`);
      const back = join(here, state);
      const fetched = await tremplin(`cp web:/srv/${state}/tree ${back}`, new RecordedIo({ columns: 80 }));
      assert.equal(fetched.code, 0, fetched.stderr);
      execFileSync("diff", ["-r", "--no-dereference", tree, back]);
      assert.equal(await readlink(join(back, "link")), "/etc/nowhere");
      assert.equal((await lstat(join(back, "deep/er/run"))).mode & 0o777, 0o750 & ~process.umask());
      assert.equal((await lstat(join(back, "large"))).mtimeMs, 1_000_000_000_000);
    }
    const listing = await sh(
      "cd /srv/stopped/tree; stat -c '%n %u:%g %a' deep/er deep/er/run; find /srv -name '.tremplin*'",
    );
    assert.equal(listing, "deep/er 1000:42 755\ndeep/er/run 1000:42 750");
  });

  test("hundreds of small files go in and come back", async () => {
    const many = join(here, "many");
    await mkdir(many);
    for (let number = 0; number < 500; number++) await writeFile(join(many, `f${number}`), `${number}`);
    assert.match((await tremplin(`cp ${many} web:/srv/`)).stdout, /^copied 500 files/);
    assert.equal(await sh("ls /srv/many | wc -l; cat /srv/many/f499"), "500\n499");
    assert.equal((await tremplin(`cp web:/srv/many ${join(here, "again")}`)).code, 0);
    execFileSync("diff", ["-r", many, join(here, "again")]);
  });

  test("a hostile container has no say outside the destination: links, pipes, a file that grows, files of the kernel", async () => {
    await sh(
      "mkdir -p /srv/bad; cd /srv/bad; ln -s /etc out; mkfifo pipe; ln -s pipe topipe; printf 'x' > 'a\n\x1b[2Jb'",
    );
    const got = await tremplin(`cp web:/srv/bad ${join(here, "bad")}`);
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stderr, /skipped \/srv\/bad\/pipe: it is a pipe/);
    assert.deepEqual((await readdir(join(here, "bad"))).sort(), ["a\n\u001b[2Jb", "out", "topipe"]);
    assert.match(
      (await tremplin(`cp web:/srv/bad/topipe ${here}`)).stderr,
      /is a pipe, a socket or a device/,
    );
    await sh("(while :; do echo more; done) >/srv/grows 2>&1 </dev/null & echo $! >/srv/pid");
    assert.equal((await tremplin(`cp web:/srv/grows ${join(here, "grows")}`)).code, 0);
    await sh("kill $(cat /srv/pid); rm -f /srv/grows");
    assert.equal((await tremplin(`cp web:/proc/version ${join(here, "version")}`)).code, 0);
    assert.match(await readFile(join(here, "version"), "utf8"), /^Linux version/);
    // In the container a link leads where the container says.
    await writeFile(join(here, "planted"), "inside");
    assert.equal((await tremplin(`cp ${join(here, "planted")} web:/srv/bad/out/`)).code, 0);
    assert.equal(await sh("cat /etc/planted"), "inside");
    await assert.rejects(lstat("/etc/planted"), /ENOENT/);
  });

  test("what does not fit is refused before, and a stop ends a copy instead of waiting for it", async () => {
    execFileSync("truncate", ["-s", "10T", join(here, "sparse")]);
    const refused = await tremplin(`cp ${join(here, "sparse")} web:`);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /there is no space for .* in web: it needs 10 TiB, and .* are free/);
    await sh("truncate -s 8G /srv/sparse");
    const io = new RecordedIo();
    const copying = tremplin(`cp web:/srv/sparse ${join(here, "huge")}`, io);
    await io.written(/of 8(\.0)? GiB/);
    const stopped = await tremplin("stop web");
    assert.equal(stopped.code, 0, stopped.stderr);
    const ended = await copying;
    assert.equal(ended.code, 5, ended.stderr);
    assert.match(ended.stderr, /the copy ended because the operation "stop" has begun on web/);
    await assert.rejects(lstat(join(here, "huge")), /ENOENT/);
  });

  test("launch makes a container of a backup with its user, in pipe and terminal; again there is nothing left", async () => {
    const backup = join(here, "web.tar.gz");
    await startContainer(daemon, "web");
    await sh("rm -f /srv/sparse");
    assert.equal((await tremplin(`export web ${backup}`)).code, 0);
    const first = await tremplin(
      `launch new --backup ${backup} --user anna`,
      new RecordedIo({ columns: 80 }),
    );
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /^new: created, set up for anna, started(, at [0-9.]+)?\na shell in it, as anna: .*tremplin shell new\n$/,
    );
    await tremplin("stop new");
    assert.match(
      (await tremplin("launch new --user anna", new RecordedIo({ clock: hurried }))).stdout,
      /^new: started/,
    );
    const again = await tremplin("launch new --user anna");
    assert.match(again.stdout, /^new: runs already, nothing was left to do/);
    const other = await tremplin("launch new --user bob");
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /primary user of new is anna already; bob was not created, nothing was changed/,
    );
    assert.equal((await tremplin(`cp ${backup} new:`)).stdout.split(", to ")[1], "new:/home/anna\n");
  });
});

import assert from "node:assert/strict";
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { describe, test } from "node:test";
import { RecordedIo } from "../../../test/support/command-line.ts";
import { CopyFixture } from "../../../test/support/copy-fixture.ts";
import type { FileTree } from "../../../test/support/memory-engine/file-tree.ts";

/** The paths below a folder of a container that a copy has not finished. */
function unfinished(files: FileTree): string[] {
  return files.texts().flatMap(([path]) => (path.includes(".tremplin-") ? [path] : []));
}

/** A folder here with files, a link, an empty folder and one that is nested. */
async function makeTree(at: CopyFixture): Promise<void> {
  await mkdir(at.path("notes/deep/deeper"), { recursive: true });
  await mkdir(at.path("notes/empty"));
  await writeFile(at.path("notes/text"), "text");
  await writeFile(at.path("notes/deep/deeper/run"), "#!/bin/sh\n");
  await chmod(at.path("notes/deep/deeper/run"), 0o755);
  await writeFile(at.path("notes/large"), Buffer.alloc(700_000, "0123456789"));
  await symlink("../nowhere", at.path("notes/deep/link"));
  await utimes(at.path("notes/text"), 1_000_000_000, 1_000_000_000);
}

describe("tremplin cp into a container", () => {
  test("a folder goes into the home of the person: owners, modes, times, links, what is empty and what is large", async (t) => {
    const at = await CopyFixture.open(t);
    await makeTree(at);
    const { code, stdout, stderr } = await at.cp(`${at.path("notes")} web:`);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "copied 4 files, 684 KiB, to web:/home/anna\n");
    const files = at.files("web");
    assert.equal(files.read("/home/anna/notes/text"), "text");
    assert.equal(files.get("/home/anna/notes/empty")?.type, "directory");
    const { uid, gid, mode } = files.get("/home/anna/notes/deep/deeper/run") ?? {};
    assert.deepEqual([uid, gid, mode], [1000, 1000, 0o755]);
    assert.equal(files.get("/home/anna/notes/deep")?.uid, 1000);
    assert.equal(files.get("/home/anna/notes/text")?.modified, 1_000_000_000);
    assert.deepEqual(files.get("/home/anna/notes/large")?.content, Buffer.alloc(700_000, "0123456789"));
    const link = files.get("/home/anna/notes/deep/link");
    assert.deepEqual([link?.type, link?.content.toString()], ["symlink", "../nowhere"]);
    assert.deepEqual(unfinished(files), []);
  });

  test("any number of links goes there and back, however long they are", async (t) => {
    const at = await CopyFixture.open(t);
    const target = "x".repeat(4095);
    await mkdir(at.path("links"));
    for (let index = 0; index < 300; index++) await symlink(target, at.path(`links/${index}`));
    assert.equal((await at.cp(`${at.path("links")} web:`)).code, 0);
    assert.equal((await at.cp(`web:links ${at.path("back")}`)).code, 0);
    assert.equal((await readdir(at.path("back"))).length, 300);
    assert.equal(await readlink(at.path("back/299")), target);
  });

  test("a file gets the name that the path ends with, a folder with a slash is made", async (t) => {
    const at = await CopyFixture.open(t);
    await writeFile(at.path("a"), "a");
    assert.match((await at.cp(`${at.path("a")} web:b`)).stdout, /to web:\/home\/anna\/b\n/);
    await at.cp(`${at.path("a")} web:/srv/new/`);
    await at.cp(`${at.path("a")} web:x/y/z`);
    const files = at.files("web");
    assert.equal(files.read("/home/anna/b"), "a");
    assert.equal(files.read("/srv/new/a"), "a");
    assert.equal(files.read("/home/anna/x/y/z"), "a");
    assert.equal(files.get("/home/anna/x/y")?.uid, 1000);
  });

  test("what is replaced keeps its owner and its links; --owner gives it to an account", async (t) => {
    const at = await CopyFixture.open(t);
    const files = at.files("web");
    files.write("/etc/hosts", "old");
    files.link("/etc/link", "hosts");
    await writeFile(at.path("hosts"), "new");
    await at.cp(`${at.path("hosts")} web:/etc/link`);
    assert.equal(files.get("/etc/link")?.type, "symlink");
    assert.deepEqual([files.read("/etc/hosts"), files.get("/etc/hosts")?.uid], ["new", 0]);
    for (const [owner, uid, gid] of [
      ["www", 33, 33],
      ["7:8", 7, 8],
      ["0", 0, 0],
    ] as const) {
      assert.equal((await at.cp(`${at.path("hosts")} web:/etc/hosts --owner ${owner}`)).code, 0);
      const { uid: is, gid: group } = files.get("/etc/hosts") ?? {};
      assert.deepEqual([is, group], [uid, gid]);
    }
    assert.match((await at.cp(`${at.path("hosts")} web: --owner bob`)).stderr, /there is no account "bob"/);
  });

  test("several sources need a folder, and a file is never replaced by a folder nor the other way round", async (t) => {
    const at = await CopyFixture.open(t);
    await makeTree(at);
    await writeFile(at.path("a"), "a");
    const files = at.files("web");
    assert.equal((await at.cp(`${at.path("a")} ${at.path("notes")} web:both`)).code, 0);
    assert.deepEqual(
      [files.read("/home/anna/both/a"), files.read("/home/anna/both/notes/text")],
      ["a", "text"],
    );
    files.write("/home/anna/file", "file");
    assert.match(
      (await at.cp(`${at.path("a")} ${at.path("notes")} web:file`)).stderr,
      /file in web is no folder/,
    );
    assert.match(
      (await at.cp(`${at.path("notes")} web:file`)).stderr,
      /is no folder, and would be replaced by one/,
    );
    await writeFile(at.path("both"), "a file");
    assert.match(
      (await at.cp(`${at.path("both")} web:`)).stderr,
      /is a folder, and would be replaced by a file/,
    );
    assert.deepEqual(unfinished(files), []);
  });

  test("no space, before and in the middle, and a file system that is read-only, are said with their numbers", async (t) => {
    const at = await CopyFixture.open(t);
    await writeFile(at.path("large"), Buffer.alloc(3_000_000));
    const files = at.files("web");
    files.free = 1024 * 1024;
    const before = await at.cp(`${at.path("large")} web:`);
    assert.equal(before.code, 1);
    assert.match(
      before.stderr,
      /there is no space for \/home\/anna in web: it needs 2.9 MiB, and 1 MiB are free/,
    );
    at.files("db").write("/home/anna/large", "x".repeat(3_000_000));
    const middle = await at.cp("db:large web:");
    assert.match(
      middle.stderr,
      /no space for \/home\/anna\/large in web: it needs 2.9 MiB, and [0-9.]+ [KM]?i?B are free/,
    );
    assert.deepEqual(unfinished(files), []);
    assert.equal(files.get("/home/anna/large"), undefined);
    files.isReadOnly = true;
    assert.match((await at.cp(`${at.path("large")} web:`)).stderr, /read-only/);
  });

  test("a pipe here is skipped with a sentence, and refused when it is named", async (t) => {
    const at = await CopyFixture.open(t);
    await makeTree(at);
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [at.path("notes/pipe")]);
    const { code, stderr } = await at.cp(`${at.path("notes")} web:`);
    assert.deepEqual([code, /skipped .*notes\/pipe: it is a pipe/.test(stderr)], [0, true]);
    assert.equal((await at.cp(`${at.path("notes/pipe")} web:`)).code, 1);
  });

  test("a pipe there, a link to nothing that is named, and a source of the same name are not replaced", async (t) => {
    const at = await CopyFixture.open(t);
    await makeTree(at);
    const files = at.files("web");
    const node = { content: Buffer.from("nowhere"), uid: 0, gid: 0, mode: 0o644 };
    files.set("/home/anna/text", { ...node, type: "pipe" });
    files.set("/home/anna/link", { ...node, type: "symlink" });
    const text = at.path("notes/text");
    for (const options of ["", " --owner root"]) {
      assert.match(
        (await at.cp(`${text} web:${options}`)).stderr,
        /text in web is a pipe, a socket or a device/,
      );
      assert.match((await at.cp(`${text} web:text${options}`)).stderr, /is a pipe, a socket or a device/);
    }
    assert.match((await at.cp(`${text} web:link`)).stderr, /link in web is a link to nothing/);
    assert.equal(files.get("/home/anna/text")?.type, "pipe");
    assert.equal(files.get("/home/anna/link")?.type, "symlink");
    await writeFile(at.path("text"), "another");
    const twice = await at.cp(`${text} ${at.path("text")} web:both`);
    assert.match(twice.stderr, /two of the sources are called text/);
    for (const name of ["web", "db"]) at.files(name).write("/srv/same", name);
    const { stderr } = await at.cp(`web:/srv/same db:/srv/same ${at.path("new")}/`);
    assert.match(stderr, /two of the sources are called same/);
    assert.equal(await readFile(at.path("new/same"), "utf8"), "web");
    assert.deepEqual(unfinished(files), []);
  });
});

describe("tremplin cp out of a container", () => {
  test("a tree arrives as it is, in a folder or under a new name", async (t) => {
    const at = await CopyFixture.open(t);
    const files = at.files("web");
    files.write("/home/anna/tree/run", "#!/bin/sh\n");
    const run = { type: "file", content: Buffer.from("#!/bin/sh\n"), uid: 1, gid: 1 } as const;
    files.set("/home/anna/tree/run", { ...run, mode: 0o4777, modified: 1_000_000_000 });
    files.write("/home/anna/tree/large", "0123456789".repeat(70_000));
    files.link("/home/anna/tree/link", "/etc/passwd");
    files.makeFolder("/home/anna/tree/empty");
    const { code, stdout, stderr } = await at.cp(`web:tree ${at.folder}`);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `copied 3 files, 684 KiB, to ${at.folder}\n`);
    assert.equal((await readFile(at.path("tree/large"), "utf8")).length, 700_000);
    assert.equal(await readlink(at.path("tree/link")), "/etc/passwd");
    assert.deepEqual(await readdir(at.path("tree/empty")), []);
    const { mode, mtimeMs } = await lstat(at.path("tree/run"));
    assert.deepEqual([mode & 0o7777, mtimeMs], [0o777 & ~process.umask(), 1e12]);
    assert.equal((await at.cp(`web:/home/anna/tree/run ${at.path("new/name")}`)).code, 0);
    assert.equal(await readFile(at.path("new/name"), "utf8"), "#!/bin/sh\n");
    assert.equal((await at.cp(`web:tree/run db:/etc/passwd ${at.path("two")}`)).code, 0);
    assert.deepEqual(await readdir(at.path("two")), ["passwd", "run"]);
  });

  test("hostile names and links write nothing outside the folder, and pipes are not opened", async (t) => {
    const at = await CopyFixture.open(t);
    const files = at.files("web");
    files.write("/home/anna/tree/new\nline\u001b[2J", "odd");
    files.set("/home/anna/tree/pipe", {
      type: "pipe",
      content: Buffer.alloc(0),
      uid: 0,
      gid: 0,
      mode: 0o644,
    });
    files.write("/home/anna/tree/inner/file", "in the folder");
    // Where the container had a folder the person has a link to another one.
    await mkdir(at.path("tree"));
    await mkdir(at.path("outside"));
    await symlink(at.path("outside"), at.path("tree/inner"));
    const refused = await at.cp(`web:tree ${at.folder}`);
    assert.equal(refused.code, 1);
    assert.deepEqual(await readdir(at.path("outside")), []);
    const { code, stderr } = await at.cp(`web:tree ${at.path("other")}`);
    assert.equal(code, 0);
    assert.match(stderr, /skipped \/home\/anna\/tree\/pipe: it is a pipe, a socket or a device/);
    assert.deepEqual(await readdir(at.path("other")), ["inner", "new\nline\u001b[2J"]);
    assert.equal((await at.cp(`web:tree/pipe ${at.folder}`)).code, 1);
  });

  test("from one container to another, with the owner there; never into itself", async (t) => {
    const at = await CopyFixture.open(t);
    at.files("web").write("/srv/data/file", "data");
    assert.equal((await at.cp("web:/srv/data db:")).code, 0);
    assert.equal(at.files("db").read("/home/anna/data/file"), "data");
    assert.equal(at.files("db").get("/home/anna/data/file")?.uid, 1000);
    for (const to of ["web:/srv/data/copy", "web:/srv", "web:/srv/data"]) {
      assert.match((await at.cp(`web:/srv/data ${to}`)).stderr, /cannot be copied into itself/);
    }
  });

  test("what is missing has its sentence and exit code; wrong usage asks for nothing", async (t) => {
    const at = await CopyFixture.open(t);
    const nobody = await at.cp(`nobody:x ${at.folder}`);
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /\ntremplin: there is no container nobody\n$/);
    const missing = await at.cp(`web:nope ${at.folder}`);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /\ntremplin: there is no \/home\/anna\/nope in web\n$/);
    assert.equal((await at.cp(`${at.path("nope")} web:`)).code, 1);
    for (const line of ["web:x", "a b", "./web:x /tmp", "a web:x b", `web:x ${at.folder} --owner www`]) {
      assert.equal((await at.cp(line)).code, 2, line);
    }
  });

  test("--json prints one document; a copy does not begin beside a stop, and ends for one", async (t) => {
    const at = await CopyFixture.open(t);
    at.files("web").write("/srv/file", "text");
    const { stdout } = await at.cp(`web:/srv/file ${at.folder} --json`);
    assert.deepEqual(JSON.parse(stdout), { path: at.folder, files: 1, bytes: 4, skipped: [] });
    using _lock = at.locks.take({ id: "x", kind: "stop", container: "web", startedAt: 0 });
    const busy = await at.cp(`web:/srv/file ${at.folder}`);
    assert.equal(busy.code, 5);
    assert.match(busy.stderr, /container web is busy: operation "stop"/);
  });

  test("Ctrl-C ends it and leaves whole files only, on either side", async (t) => {
    const at = await CopyFixture.open(t);
    for (let number = 0; number < 40; number++)
      await writeFile(at.path(`f${number}`), Buffer.alloc(300_000, "x"));
    const into = new RecordedIo();
    const sending = at.cp(`${at.folder} web:`, into);
    await into.written(/copying to web/);
    into.ctrlC();
    const { code, stderr } = await sending;
    assert.deepEqual(
      [code, /the copy was interrupted: .* are there, each of them whole/.test(stderr)],
      [130, true],
    );
    const files = at.files("web");
    assert.deepEqual(unfinished(files), []);
    assert.ok(files.texts().every(([path, text]) => !path.includes("/here/") || text.length === 300_000));
    const out = new RecordedIo();
    files.write("/srv/huge", "x".repeat(20_000_000));
    const fetching = at.cp(`web:/srv/huge ${at.path("got")}`, out);
    await out.written(/copying to/);
    out.ctrlC();
    assert.equal((await fetching).code, 130);
    assert.deepEqual(
      (await readdir(at.folder)).filter((name) => !/^f\d+$/.test(name)),
      [],
    );
  });
});

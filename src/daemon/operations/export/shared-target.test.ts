import assert from "node:assert/strict";
import { appendFile, chmod, link, mkdir, readdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { exportContext, replaceBy, TestSharedFolder, WHOLE } from "../../../../test/support/shared-target.ts";

// Hooks outside of a suite would run for the tests of other files as well (scripts/run-tests.mjs).
describe("shared-target", () => {
  const folder = new TestSharedFolder();

  test("a new backup gets its name only when it is whole, and only its owner can read it", async () => {
    const conclusion = await folder.write("new", async () => {
      assert.deepEqual(await readdir(folder.path), [".tremplin-export-0123456789abcdef"]);
    });
    assert.equal(conclusion, "done");
    assert.deepEqual(await readdir(folder.path), ["new"]);
    assert.equal(await folder.read("new"), WHOLE);
    assert.equal((await stat(folder.at("new"))).mode & 0o777, 0o600);
  });

  test("a backup replaces a file with content, not its hard links, and has its mode", async () => {
    await writeFile(folder.at("old"), "yesterday");
    await chmod(folder.at("old"), 0o640);
    await link(folder.at("old"), folder.at("rotated"));
    await folder.write("old", async () => assert.equal(await folder.read("old"), "yesterday"));
    assert.equal(await folder.read("old"), WHOLE);
    assert.equal(await folder.read("rotated"), "yesterday");
    assert.equal((await stat(folder.at("old"))).mode & 0o777, 0o640);
    assert.deepEqual((await readdir(folder.path)).sort(), ["old", "rotated"]);
  });

  test("an empty file is written in place, for a host that shared only that file", async () => {
    await writeFile(folder.at("made"), "");
    const { ino } = await stat(folder.at("made"));
    await folder.write("made");
    assert.equal(await folder.read("made"), WHOLE);
    assert.equal((await stat(folder.at("made"))).ino, ino);
  });

  test("an empty file with hard links is replaced, and the other links stay empty", async () => {
    await writeFile(folder.at("one"), "");
    await link(folder.at("one"), folder.at("two"));
    await Promise.all([
      folder.write("one", undefined, exportContext("1")),
      folder.write("two", undefined, exportContext("2")),
    ]);
    assert.deepEqual([await folder.read("one"), await folder.read("two")], [WHOLE, WHOLE]);
    assert.notEqual((await stat(folder.at("one"))).ino, (await stat(folder.at("two"))).ino);
  });

  const wait = (): Promise<never> => Promise.reject(new Error("it failed"));

  test("after a failure a file with content is untouched, an empty one is empty, and a new one is empty", async () => {
    await writeFile(folder.at("old"), "yesterday");
    await writeFile(folder.at("made"), "");
    const before = await stat(folder.at("old"), { bigint: true });
    await mkdir(folder.at("folder"));
    for (const path of ["old", "made", "new", "folder"]) {
      const context = exportContext();
      await folder.assertFails(folder.write(path, wait, context), /it failed/, context);
      assert.equal(await folder.recover(context), undefined, "repeated");
    }
    assert.deepEqual(
      [await folder.read("old"), await folder.read("made"), await folder.read("new")],
      ["yesterday", "", ""],
    );
    const after = await stat(folder.at("old"), { bigint: true });
    assert.deepEqual([after.ino, after.mtimeNs, after.ctimeNs], [before.ino, before.mtimeNs, before.ctimeNs]);
    assert.deepEqual((await readdir(folder.path)).sort(), ["folder", "made", "new", "old"]);
    assert.deepEqual(await readdir(folder.at("folder")), []);
  });

  /** What a person may do at the name of a backup while it is written. */
  const inTheWay: Record<
    string,
    readonly [before: string | undefined, act: (path: string) => Promise<unknown>]
  > = {
    "makes a file where none was": [undefined, (path) => writeFile(path, "mine")],
    "makes an empty file where none was": [undefined, (path) => writeFile(path, "")],
    "makes a link where nothing was": [undefined, (path) => symlink("elsewhere", path)],
    "replaces the file by one of the same size": ["yesterday", (path) => replaceBy(path, "different")],
    "writes to the file": ["yesterday", (path) => appendFile(path, "!")],
    "writes as much to the file": ["yesterday", (path) => writeFile(path, "different")],
    "replaces the empty file": ["", (path) => replaceBy(path, "mine")],
    "replaces the empty file by an empty one": ["", (path) => replaceBy(path, "")],
  };
  for (const [what, [before, act]] of Object.entries(inTheWay)) {
    test(`a person who ${what} meanwhile keeps it, and the backup fails`, async () => {
      if (before !== undefined) await writeFile(folder.at("backup"), before);
      const context = exportContext();
      let theirs = "";
      const meanwhile = async (): Promise<void> => {
        await act(folder.at("backup"));
        theirs = await folder.read("backup").catch(() => "a link");
      };
      await folder.assertFails(
        folder.write("backup", meanwhile, context),
        /backup.*export it again|backup.*export again/,
        context,
      );
      assert.equal(await folder.read("backup").catch(() => "a link"), theirs);
      assert.deepEqual(await readdir(folder.path), ["backup"]);
    });
  }

  test("an old backup that is moved meanwhile stays there, and the new one gets the name", async () => {
    await writeFile(folder.at("backup"), "yesterday");
    await folder.write("backup", () => rename(folder.at("backup"), folder.at("backup.1")));
    assert.deepEqual([await folder.read("backup"), await folder.read("backup.1")], [WHOLE, "yesterday"]);
  });

  test("a backup survives a rotation by hard links meanwhile", async () => {
    await writeFile(folder.at("backup"), "yesterday");
    await folder.write("backup", () => link(folder.at("backup"), folder.at("backup.1")));
    assert.deepEqual([await folder.read("backup"), await folder.read("backup.1")], [WHOLE, "yesterday"]);
  });

  test("a backup fails when its folder is moved or replaced meanwhile, and its files stay", async () => {
    await mkdir(folder.at("folder"));
    await writeFile(folder.at("folder/backup"), "yesterday");
    const context = exportContext();
    const move = async (): Promise<void> => {
      await rename(folder.at("folder"), folder.at("moved"));
      await mkdir(folder.at("folder"));
    };
    await assert.rejects(folder.write("folder/backup", move, context), /its folder was moved or replaced/);
    assert.equal(await folder.read("moved/backup"), "yesterday");
    assert.deepEqual(await readdir(folder.at("folder")), []);
  });

  test("of two backups to one name at once the second is refused", async () => {
    const second = async (): Promise<void> => {
      await symlink(".", folder.at("way"));
      await assert.rejects(
        folder.write("way/same", undefined, exportContext("2")),
        /another export is being written to/,
      );
    };
    await folder.write("same", second);
    assert.equal(await folder.read("same"), WHOLE);
  });

  test("a folder gets the same backup once, and another file of that name is left alone", async () => {
    await mkdir(folder.at("folder"));
    await folder.write("folder", undefined, exportContext("1"));
    const [name = ""] = await readdir(folder.at("folder"));
    const { ino } = await stat(folder.at(`folder/${name}`));
    await folder.write("folder", undefined, exportContext("2"));
    assert.deepEqual(await readdir(folder.at("folder")), [name]);
    assert.equal((await stat(folder.at(`folder/${name}`))).ino, ino);
    await writeFile(folder.at(`folder/${name}`), "mine");
    const context = exportContext("3");
    await folder.assertFails(folder.write("folder", undefined, context), /so it was not replaced/, context);
    assert.deepEqual(await readdir(folder.at("folder")), [name]);
    assert.equal(await folder.read(`folder/${name}`), "mine");
  });
});

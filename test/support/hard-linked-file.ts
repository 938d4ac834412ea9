import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { link, readFile, stat, writeFile } from "node:fs/promises";

/** A file of a person with a hard link to it, as a rotation by `cp -al` makes. */
export interface HardLinkedFile {
  /** Throws unless both are as they were: the same file, with the same content, owner, mode and times. */
  assertUntouched(): Promise<void>;
}

export async function hardLinkedFile(
  path: string,
  content = "the good backup of yesterday",
): Promise<HardLinkedFile> {
  const rotated = `${path}.1`;
  await writeFile(path, content);
  await link(path, rotated);
  const look = async () => {
    const { ino, size, mtimeNs, uid, gid, mode, nlink } = await stat(path, { bigint: true });
    return {
      ino,
      size,
      mtimeNs,
      uid,
      gid,
      mode,
      nlink,
      sum: createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    };
  };
  const before = await look();
  return {
    async assertUntouched() {
      assert.deepEqual(await look(), before);
      assert.equal(await readFile(rotated, "utf8"), content);
    },
  };
}

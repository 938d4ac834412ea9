import assert from "node:assert/strict";
import { test } from "node:test";
import { LostAttributes } from "./lost-attributes.ts";

function remarkOn(...lines: readonly string[]): string | undefined {
  const lost = new LostAttributes();
  for (const line of lines) assert.ok(lost.consumeLine(line), line);
  return lost.remark;
}

test("attributes that cannot be set are counted and named", () => {
  const overlay =
    "tar: setxattrat: Cannot set 'trusted.overlay.opaque' extended attribute for file './rootfs/a': ";
  assert.equal(
    remarkOn(`${overlay}Operation not permitted`, `${overlay}Operation not permitted`),
    "2 attributes of files left out, which a container cannot set: trusted.overlay.opaque",
  );
  assert.equal(
    remarkOn("tar: acl_set_file_at: Cannot set POSIX ACLs for file 'rootfs/a': Operation not supported"),
    "1 attribute of files left out, which a container cannot set: ACLs",
  );
});

test("a Mac's attributes are nothing to remark on", () => {
  const line =
    "tar: setxattrat: Cannot set 'com.apple.provenance' extended attribute for file './a': Operation not supported";
  assert.equal(remarkOn(line), undefined);
});

test("errors are not taken for warnings", () => {
  const lost = new LostAttributes();
  for (const line of [
    'tar: "rootfs/a": Cannot open: No space left on device',
    "tar: Unexpected EOF in archive",
  ]) {
    assert.equal(lost.consumeLine(line), false, line);
  }
});

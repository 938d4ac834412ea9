import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileSession, FolderEntry } from "../../engine/files/file-session.ts";
import { type Item, sendTree } from "./send-tree.ts";

const KIB = 1024;
const about = { size: 0, uid: 0, gid: 0, mode: 0o644, modified: 0 } as const;

/** Files that were empty when they were listed, and have no end when they are read. */
function endless(entries: readonly FolderEntry[]): FileSession {
  const content = async function* (size: number) {
    for (let left = size; left > 0; left -= 32 * KIB) yield Buffer.alloc(Math.min(left, 32 * KIB));
  };
  const session: Pick<FileSession, "openRead" | "pages"> = {
    openRead: async () => ({ content, close: async () => undefined }) as never,
    async *pages() {
      yield [...entries];
    },
  };
  return session as FileSession;
}

function bytesIn(items: readonly Item[]): number {
  return items.reduce((sum, { item }) => sum + (item?.case === "data" ? item.value.length : 0), 0);
}

test("of files in a tree that say they are empty no more is held than of small ones", async () => {
  const entries = Array.from({ length: 10 }, (_, index) => ({
    ...about,
    type: "file" as const,
    name: `${index}`,
  }));
  const items = sendTree(endless(entries), "/srv", "srv", { ...about, type: "directory" });
  assert.equal(bytesIn(await Array.fromAsync(items)), 10 * 64 * KIB);
});

test("of a file alone that says it is empty more is read, piece by piece", async () => {
  const items = await Array.fromAsync(
    sendTree(endless([]), "/proc/kallsyms", "kallsyms", { ...about, type: "file" }),
  );
  assert.equal(bytesIn(items), 1024 * KIB);
});

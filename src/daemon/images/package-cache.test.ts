import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { debFileNames, provideCachedPackages, saveToCache } from "./package-cache.ts";

const status = `Package: less
Status: install ok installed
Architecture: amd64
Version: 590-2
Conffiles:
 /etc/x 1

Package: libpam0g
Architecture: amd64
Version: 1:1.5.2-6
`;

test("names are those of apt, with an epoch's colon escaped", () => {
  const names = debFileNames(status);
  assert.ok(names.has("less_590-2_amd64.deb"));
  assert.ok(names.has("libpam0g_1%3a1.5.2-6_amd64.deb"));
});

test("the cache keeps exactly the packages that the last build installed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "packages-"));
  try {
    const cache = join(folder, "cache");
    for (const build of ["first", "second"]) {
      const tree = join(folder, build);
      const archives = join(tree, "var/cache/apt/archives");
      await provideCachedPackages(cache, tree);
      await mkdir(join(archives, "partial"));
      await mkdir(join(tree, "var/lib/dpkg"), { recursive: true });
      await writeFile(join(tree, "var/lib/dpkg/status"), status);
      if (build === "first") {
        await writeFile(join(archives, "less_590-2_amd64.deb"), "less");
        await writeFile(join(archives, "more_1_amd64.deb"), "more");
      } else {
        assert.equal(await readFile(join(archives, "less_590-2_amd64.deb"), "utf8"), "less");
        await writeFile(join(cache, "gone_1_amd64.deb"), "of an older build");
      }
      await saveToCache(tree, cache);
      assert.deepEqual(await readdir(cache), ["less_590-2_amd64.deb"]);
      assert.deepEqual(await readdir(archives), [], "the image must not carry packages");
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TestDaemon } from "../support/daemon.ts";
import { engineQuery, inContainer } from "../support/in-container.ts";
import { imported, shareBackup } from "../support/tiny-backup.ts";
import { launchedDaemon, startContainer } from "../support/tiny-container.ts";

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
});
after(() => daemon[Symbol.asyncDispose]());

for (const packing of ["--gzip", "--zstd", "--xz", ""]) {
  test(`a backup packed with ${packing || "nothing"} becomes a container`, async () => {
    const name = `as-${packing.slice(2) || "tar"}`;
    const path = await shareBackup(daemon, "some.tini", { packing, files: { "etc/mine": packing } });
    await imported(daemon, name, path);
    await startContainer(daemon, name);
    assert.equal(await inContainer(daemon, name, "cat", "/etc/mine"), packing);
    assert.deepEqual(await engineQuery(daemon, "/1.0/images"), []);
  });
}

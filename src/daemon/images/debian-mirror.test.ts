import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readAptSources } from "../guest/apt-sources.ts";
import { findDebianMirror, machineMirror, releaseSources } from "./debian-mirror.ts";

const mirrorOf = (lines: string) => findDebianMirror(readAptSources("sources.list", Buffer.from(lines)));

test("the machine's Debian mirror is found among others that use its suite names", () => {
  const mirror = mirrorOf(`
deb http://docker.example/linux/debian bookworm stable
deb http://editor.example/repos bookworm main
deb-src http://sources.example/debian bookworm main
# deb http://old.example/debian bookworm main
deb http://mirror.example/debian/ bookworm main contrib
deb http://mirror.example/debian bookworm-updates main
deb http://mirror.example/sec bookworm-security main
`);
  assert.deepEqual(mirror, { main: "http://mirror.example/debian", security: "http://mirror.example/sec" });
});

test("without a security source, the URI next to the packages is used", () => {
  const mirror = mirrorOf("deb http://mirror.example/debian stable main");
  assert.deepEqual(mirror, {
    main: "http://mirror.example/debian",
    security: "http://mirror.example/debian-security",
  });
});

test("Ubuntu is not mistaken for Debian", () => {
  const line = (suite: string) => `deb http://archive.example/ubuntu ${suite} main universe`;
  assert.equal(mirrorOf(["noble", "noble-updates", "noble-security"].map(line).join("\n")), undefined);
});

test("both formats are read, generated sources round-trip, and other files are ignored", async () => {
  const folder = await mkdtemp(join(tmpdir(), "apt-"));
  try {
    const mirror = { main: "http://mirror.example/debian", security: "http://mirror.example/sec" };
    await mkdir(join(folder, "sources.list.d"));
    await writeFile(join(folder, "sources.list.d/a.sources.disabled"), releaseSources("bookworm", mirror));
    assert.equal(await machineMirror(folder), undefined);
    await writeFile(join(folder, "sources.list.d/debian.sources"), releaseSources("trixie", mirror));
    assert.deepEqual(await machineMirror(folder), mirror);
    await writeFile(join(folder, "sources.list"), "deb http://first.example/d trixie main\n");
    assert.deepEqual(await machineMirror(folder), mirror, "the one with -updates comes first");
  } finally {
    await rm(folder, { recursive: true });
  }
});

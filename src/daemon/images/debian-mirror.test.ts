import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseOneLineSources, parseStanzaSources } from "./apt-sources.ts";
import { debianMirror, machineMirror, releaseSources } from "./debian-mirror.ts";

const mirrorOf = (lines: string) => debianMirror(parseOneLineSources(lines));

test("the machine's Debian is found among strangers that use its codenames", () => {
  const mirror = mirrorOf(`
deb http://docker.example/linux/debian bookworm stable
deb http://editor.example/repos bookworm main
deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
deb http://mirror.example/sec bookworm-security main
`);
  assert.deepEqual(mirror, { main: "http://mirror.example/debian", security: "http://mirror.example/sec" });
});

test("Debian's key ring vouches for a release that is not known here", () => {
  const keyring = "/usr/share/keyrings/debian-archive-keyring.pgp";
  const mirror = mirrorOf(`deb [signed-by=${keyring}] http://mirror.example/debian forky main`);
  assert.equal(mirror?.main, "http://mirror.example/debian");
});

test("without a security source, the place beside the packages is taken", () => {
  const mirror = mirrorOf("deb http://m.example/d stable main\ndeb http://m.example/d stable-updates main");
  assert.equal(mirror?.security, "http://m.example/d-security");
});

test("Ubuntu is not taken for Debian", () => {
  const line = (suite: string) => `deb http://archive.example/ubuntu ${suite} main universe`;
  assert.equal(mirrorOf(["noble", "noble-updates", "noble-security"].map(line).join("\n")), undefined);
});

test("what is written for the container is what the machine would read back", () => {
  const mirror = { main: "http://mirror.example/debian", security: "http://mirror.example/sec" };
  const sources = parseStanzaSources(releaseSources("trixie", mirror));
  assert.deepEqual(debianMirror(sources), mirror);
  assert.deepEqual(
    sources.map(({ suite }) => suite),
    ["trixie", "trixie-updates", "trixie-security"],
  );
});

test("both kinds of files are read and others are not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "apt-"));
  try {
    await mkdir(join(folder, "sources.list.d"));
    const mirror = { main: "http://mirror.example/debian", security: "http://mirror.example/sec" };
    const path = join(folder, "sources.list.d/debian.sources");
    await writeFile(`${path}.disabled`, releaseSources("bookworm", mirror));
    assert.equal(await machineMirror(folder), undefined);
    await writeFile(path, releaseSources("bookworm", mirror));
    assert.deepEqual(await machineMirror(folder), mirror);
  } finally {
    await rm(folder, { recursive: true });
  }
});

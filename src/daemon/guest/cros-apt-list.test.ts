import assert from "node:assert/strict";
import { test } from "node:test";
import { crosAptList } from "./cros-apt-list.ts";
import { parseOsRelease } from "./os-release.ts";

function listOf(osRelease: string): string | undefined {
  return crosAptList(parseOsRelease(Buffer.from(osRelease)), 103, "bookworm");
}

for (const [version, codename, hasBackports] of [
  ["9", "stretch", false],
  ["10", "buster", true],
  ["11", "bullseye", true],
  ["12", "bookworm", false],
  ["13", "trixie", false],
] as const) {
  test(`Debian ${version} ${hasBackports ? "also gets backports" : "gets one line"}`, () => {
    const backports = `deb https://deb.debian.org/debian ${codename}-backports main\n`;
    assert.equal(
      listOf(`ID=debian\nVERSION_ID="${version}"\nVERSION_CODENAME=${codename}\n`),
      `deb https://storage.googleapis.com/cros-packages/103 ${codename} main\n${hasBackports ? backports : ""}`,
    );
  });
}

test("a Debian without a version uses the newest packages", () => {
  assert.match(listOf("ID=debian\nVERSION_CODENAME=sid") ?? "", / bookworm main\n$/);
});

for (const other of [
  "ID=ubuntu\nVERSION_ID=24.04\nVERSION_CODENAME=noble",
  "",
  "ID=Debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm",
  "ID=debian\nVERSION_ID=12",
  'ID=debian\nVERSION_ID=12\nVERSION_CODENAME="bookworm main # "',
]) {
  test(`${JSON.stringify(other)} gets no list`, () => assert.equal(listOf(other), undefined));
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { UpgradeContainerRequest_Version as Version } from "../../contract/tremplin_pb.js";
import { parseOsRelease } from "../guest/os-release.ts";
import { releaseOfOsRelease, releaseOfVersion, releases, upgradePath } from "./releases.ts";

const running = (text: string) => releaseOfOsRelease(parseOsRelease(Buffer.from(text)));

test("the table is in the order of the releases, with a row for each number of the contract", () => {
  const numbers = Object.values(Version).filter(
    (each): each is Version => typeof each === "number" && each > 0,
  );
  assert.deepEqual(
    releases.map(({ version }) => version),
    numbers.sort((a, b) => a - b),
  );
  const versions = releases.map(({ versionId }) => Number(versionId));
  assert.deepEqual(versions, [9, 10, 11, 12, 13]);
});

test("every way forward goes through each release between, and there is none back", () => {
  for (const [start, from] of releases.entries()) {
    for (const [end, to] of releases.entries()) {
      if (start > end) assert.throws(() => upgradePath(from, to), { code: "invalid" });
      else if (start === end) assert.equal(upgradePath(from, to), undefined);
      else assert.deepEqual(upgradePath(from, to)?.releases, releases.slice(start + 1, end + 1));
    }
  }
});

test("what runs is told by ID and VERSION_ID alone", () => {
  assert.equal(running('ID=debian\nVERSION_ID="12"\n').codename, "bookworm");
  assert.equal(running("ID=debian\nVERSION_ID=12.4\nVERSION_CODENAME=lies\n").codename, "bookworm");
  for (const text of ["ID=ubuntu\nVERSION_ID=12\n", "ID=debian\n", "ID=debian\nVERSION_ID=8\n", "\0\xff"]) {
    assert.throws(() => running(text), { code: "invalid" }, text);
  }
  assert.throws(() => running("ID=debian\n"), /testing or unstable/);
});

test("a number that no release has is refused with those that there are", () => {
  assert.throws(() => releaseOfVersion(Version.UNKNOWN), /known are stretch \(9\), .*trixie \(13\)/);
  assert.throws(() => releaseOfVersion(99 as Version), { code: "invalid" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { UpgradeContainerRequest_Version as Version } from "../../contract/tremplin_pb.js";
import { parseOsRelease } from "../guest/os-release.ts";
import { releaseOfOsRelease, releaseOfVersion, releases, upgradePath } from "./releases.ts";

const running = (text: string) => releaseOfOsRelease(parseOsRelease(Buffer.from(text)));

test("the table is in release order, with a row for each number of the contract", () => {
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

test("an upgrade passes through each release in between, and never goes backward", () => {
  for (const [start, from] of releases.entries()) {
    for (const [end, to] of releases.entries()) {
      if (start > end) assert.throws(() => upgradePath(from, to), { code: "invalid" });
      else if (start === end) assert.equal(upgradePath(from, to), undefined);
      else assert.deepEqual(upgradePath(from, to)?.releases, releases.slice(start + 1, end + 1));
    }
  }
});

test("the running release is detected by ID and VERSION_ID alone", () => {
  assert.equal(running('ID=debian\nVERSION_ID="12"\n').codename, "bookworm");
  assert.equal(running("ID=debian\nVERSION_ID=12.4\nVERSION_CODENAME=lies\n").codename, "bookworm");
  for (const text of ["ID=ubuntu\nVERSION_ID=12\n", "ID=debian\n", "ID=debian\nVERSION_ID=8\n", "\0\xff"]) {
    assert.throws(() => running(text), { code: "invalid" }, text);
  }
  assert.throws(() => running("ID=debian\n"), /testing or unstable/);
});

test("an unknown number is refused, and the error lists the known releases", () => {
  assert.throws(() => releaseOfVersion(Version.UNKNOWN), /known releases are stretch \(9\), .*trixie \(13\)/);
  assert.throws(() => releaseOfVersion(99 as Version), { code: "invalid" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMounts } from "./check-file-systems.ts";
import { parsePins } from "./check-packages.ts";
import { parseRemoved, plannedVersion } from "./simulate-upgrade.ts";
import { parseNewPackages } from "./upgrade-release.ts";

test("mounts are parsed with their escapes; of several at a path the last one counts", () => {
  const text =
    "/dev/sda1 / ext4 rw,relatime 0 0\nnone /usr/share/my\\040fonts none ro,bind 0 0\n/dev/sdb / ext4 ro 0 0\nrest\n";
  assert.deepEqual(parseMounts(text), [
    { path: "/", isReadOnly: true },
    { path: "/usr/share/my fonts", isReadOnly: true },
  ]);
});

test("pinned packages are those below their heading", () => {
  const policy = ` 500 http://m/debian bookworm/main amd64 Packages
     release v=12.5,o=Debian,a=stable,n=bookworm
Pinned packages:
     libc6 -> 2.31-13 with priority 1001
     libc6 -> 2.36-9 with priority -1
     tool -> 1 with priority 990
`;
  assert.deepEqual(parsePins(policy), ["libc6", "tool"]);
  assert.deepEqual(parsePins("Pinned packages:\n"), []);
  assert.deepEqual(parsePins(""), []);
});

test("removed packages are found in the plan of each apt", () => {
  const apt2 =
    "The following packages will be REMOVED:\n  libold1 tool*\n  more\nThe following NEW packages:\n  x\n";
  assert.deepEqual(parseRemoved(apt2), ["libold1", "tool", "more"]);
  assert.deepEqual(parseRemoved("REMOVING:\n  libold1  tool\n\nSummary:\n  Upgrading: 1\n"), [
    "libold1",
    "tool",
  ]);
  assert.deepEqual(parseRemoved("Reading package lists...\n"), []);
});

test("the version of a package is found in apt's steps", () => {
  const plan = `Remv libold1 [1] (2 x)
Inst base-files [11.1+deb11u7] (12.4+deb12u5 Debian:12.5/stable [amd64]) []
Conf base-files (12.4+deb12u5 Debian:12.5/stable [amd64])
Inst systemd-resolved (252.1-1~deb12u1 Debian:12.5/stable [amd64])
`;
  assert.equal(plannedVersion(plan, "base-files"), "12.4+deb12u5");
  assert.equal(plannedVersion(plan, "systemd-resolved"), "252.1-1~deb12u1");
  assert.equal(plannedVersion(plan, "libold1"), undefined);
});

test("new packages are those that have a version and are not installed", () => {
  const policy = `systemd-resolved:
  Installed: (none)
  Candidate: 252.1
  Version table:
systemd-networkd:
  Installed: (none)
  Candidate: (none)
systemd-timesyncd:
  Installed: 252.1
  Candidate: 252.1
`;
  assert.deepEqual(parseNewPackages(policy), ["systemd-resolved"]);
});

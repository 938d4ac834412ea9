import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAudit, parseInstalled } from "./package-state.ts";

test("packages that dpkg complains about are found below their headings", () => {
  const audit = `The following packages are in a mess due to serious problems during
installation.  They must be reinstalled for them (and any packages
that depend on them) to function properly:
 broken               a package
 other:amd64          another

The following packages are missing the md5sums control file in the
database, they need to be reinstalled:
 plain                harmless

The following packages have been unpacked but not yet configured.
They must be configured using dpkg --configure or the configure
menu option in dselect for them to work:
 tool                 a package
`;
  assert.deepEqual(parseAudit(audit), ["broken", "other", "tool"]);
  assert.deepEqual(parseAudit(""), []);
});

test("packages are installed in any state but those of a removed one", () => {
  const list = "ii  base-files\niU  half\niF  failed\nrc  removed\nun  unknown\nhi  held:amd64\niHR broken\n";
  assert.deepEqual(parseInstalled(list), ["base-files", "half", "failed", "held", "broken"]);
});

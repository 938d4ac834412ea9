import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { localZone, ruleOfZone } from "./local-zone.ts";

interface Computer {
  readonly TZ?: string;
  /** Links by their paths. */
  readonly links?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

async function zoneOf({ TZ, links = {}, files = {} }: Computer): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "zone-"));
  const place = async (path: string) => {
    await mkdir(dirname(root + path), { recursive: true });
    return root + path;
  };
  try {
    for (const [path, target] of Object.entries(links)) await symlink(target, await place(path));
    for (const [path, text] of Object.entries(files)) await writeFile(await place(path), text);
    return await localZone({ root, env: { TZ } });
  } finally {
    await rm(root, { recursive: true });
  }
}

const local = (target: string) => ({ links: { "/etc/localtime": target } });
const berlin = local("/usr/share/zoneinfo/Europe/Berlin");

for (const [what, computer, zone] of [
  ["a link", berlin, "Europe/Berlin"],
  ["a relative link", local("../usr/share/zoneinfo/Asia/Kolkata"), "Asia/Kolkata"],
  ["a former name", local("/usr/share/zoneinfo/Asia/Calcutta"), "Asia/Calcutta"],
  ["zones elsewhere", local("/etc/zoneinfo/America/Argentina/Ushuaia"), "America/Argentina/Ushuaia"],
  ["zones with leap seconds", local("/usr/share/zoneinfo/right/Europe/Berlin"), "Europe/Berlin"],
  [
    "a link to a link",
    { links: { "/etc/localtime": "alternatives/zone", "/etc/alternatives/zone": "/usr/share/zoneinfo/UTC" } },
    "UTC",
  ],
  [
    "a copy, and its name",
    { files: { "/etc/localtime": "TZif", "/etc/timezone": "Asia/Tokyo\n" } },
    "Asia/Tokyo",
  ],
  ["a loop, and a name", { ...local("localtime"), files: { "/etc/timezone": "Asia/Tokyo" } }, "Asia/Tokyo"],
  ["nothing", {}, "Etc/UTC"],
  ["TZ with the file", { ...berlin, TZ: ":/etc/localtime" }, "Europe/Berlin"],
  ["an empty TZ", { ...berlin, TZ: "" }, "Europe/Berlin"],
  ["TZ with a name", { ...berlin, TZ: "Asia/Tokyo" }, "Asia/Tokyo"],
  ["TZ with a colon", { ...berlin, TZ: ":Asia/Tokyo" }, "Asia/Tokyo"],
  ["TZ with a path", { ...berlin, TZ: "/usr/share/zoneinfo/Asia/Tokyo" }, "Asia/Tokyo"],
] as const) {
  test(`the zone is found by ${what}`, async () => assert.equal(await zoneOf(computer), zone));
}

for (const [what, computer] of [
  ["a rule in TZ", { ...berlin, TZ: "CET-1CEST,M3.5.0,M10.5.0/3" }],
  ["a short rule in TZ", { ...berlin, TZ: "XYZ-3" }],
  ["a rule with a number in TZ", { ...berlin, TZ: "<+03>-3" }],
  ["another file in TZ", { ...berlin, TZ: ":/etc/zone" }],
  ["a link to what is no zone", local("/usr/share/zoneinfo/localtime")],
  ["a link to the rules", local("/usr/share/zoneinfo/posixrules")],
  ["a copy without a name", { files: { "/etc/localtime": "TZif" } }],
  ["an unknown zone", local("/usr/share/zoneinfo/Etc/Unknown")],
  ["a name that says unknown", { files: { "/etc/timezone": "Etc/Unknown" } }],
] as const) {
  test(`${what} is refused`, async () => {
    await assert.rejects(zoneOf(computer), /names? a time zone: give the name of a zone/);
  });
}

test("the rule of a zone is the last line of its file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "zones-"));
  try {
    await mkdir(join(folder, "Europe"));
    await writeFile(join(folder, "Europe/Berlin"), "TZif2\0\0\n\x0a\0binary\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    await writeFile(join(folder, "old"), "TZif1\0\0binary");
    await writeFile(join(folder, "README"), "a text\nCET-1\n");
    await writeFile(join(folder, "tzdata.zi"), "L Europe/Berlin Europe/Former\n");
    for (const zone of ["Europe/Berlin", "Europe/Former"]) {
      assert.equal(await ruleOfZone(zone, folder), "CET-1CEST,M3.5.0,M10.5.0/3");
    }
    for (const zone of ["old", "README", "Europe", "none", "../README", "/etc/passwd", ""]) {
      assert.equal(await ruleOfZone(zone, folder), "");
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "../../../test/support/repository.ts";
import { generic } from "./generic.ts";
import { loadSite } from "./load-site.ts";
import { expandPlaceholders, siteSchema } from "./site.ts";

test("the built-in sites are found by name, and generic has nothing of ChromeOS", async () => {
  assert.equal((await loadSite("crostini")).profile.config["raw.idmap"]?.split("\n").length, 4);
  const said = Object.entries(await loadSite("generic")).filter(([, value]) => value !== false);
  assert.doesNotMatch(JSON.stringify(said), /cros|google|chronos|android/i);
});

test("a site is loaded from a file, and a mistake in it is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "site-"));
  try {
    const path = join(folder, "office.yaml");
    await writeFile(path, "name: office\nstopGrace: 3\n");
    const site = await loadSite(path);
    assert.deepEqual([site.name, site.stopGrace, site.bindMounts], ["office", 3, []]);
    await writeFile(path, "name: office\ncrashListener: somewhere\n");
    await assert.rejects(loadSite(path), /"somewhere" is not an address: write unix:/);
    await writeFile(path, "name: office\nstopGrace: soon\n");
    await assert.rejects(loadSite(path), /office\.yaml cannot be used: .*expected number.*\n.*stopGrace/s);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("autostart is one choice, also where an older site has it in the profile", async () => {
  const load = (site: object) => siteSchema.parse({ name: "office", ...site });
  const inProfile = (value: string) => ({ profile: { config: { "boot.autostart": value } } });
  const chosen = [{}, { autostart: "on" }, inProfile("true"), inProfile("false")].map((each) => {
    const { autostart, profile } = load(each);
    return [autostart, profile.config["boot.autostart"]];
  });
  assert.deepEqual(chosen, [
    ["last", "false"],
    ["on", "true"],
    ["on", "true"],
    ["off", "false"],
  ]);
  const both = { autostart: "off", ...inProfile("true") };
  assert.throws(() => load(both), /autostart is off, but profile.config has boot.autostart: true/);
  assert.throws(() => load({ autostart: "sometimes" }));
});

test("an unknown name is rejected with a list of the known ones", async () => {
  await assert.rejects(loadSite("moon"), /no site "moon": use generic, crostini, or the path of a file/);
});

test("placeholders are replaced, unknown ones stay", () => {
  assert.equal(
    expandPlaceholders("{state}/x/{name}_{other}", { state: "/s", name: "penguin" }),
    "/s/x/penguin_{other}",
  );
});

test("the site file of the Debian package says the same as generic", async () => {
  const packaged = await loadSite(join(repository, "debian/site.yaml"));
  assert.deepEqual(packaged, generic);
});

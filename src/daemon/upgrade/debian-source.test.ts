import assert from "node:assert/strict";
import { test } from "node:test";
import { debianRelease, type FakeAnswer, fakeApt } from "../../../test/support/fake-apt.ts";
import { editAptSources, readAptSources } from "../guest/apt-sources.ts";
import { type Release, releases } from "./releases.ts";
import { planSources } from "./source-plan.ts";

const release = (codename: string) => releases.find((each) => each.codename === codename) as Release;

/** Another mirror, which has all that Debian ever published. */
const answers: Record<string, FakeAnswer> = {};
for (const { codename, suites } of releases) {
  for (const place of ["http://m/debian", "http://own.example/packages"]) {
    answers[`${place}/dists/${codename}`] = debianRelease(codename);
    answers[`${place}/dists/${codename}-updates`] = debianRelease(`${codename}-updates`);
  }
  answers[`http://m/debian-security/dists/${suites.security}`] = debianRelease(codename, "Debian-Security");
}
for (const name of ["stable", "oldstable"])
  answers[`http://m/debian/dists/${name}`] = debianRelease("bookworm");
answers["http://m/debian/dists/sid"] = debianRelease("sid");

async function switched(text: string, codename: string, path = "x.list"): Promise<string> {
  const to = release(codename);
  const upgrade = { from: to, releases: [to], to };
  const content = Buffer.from(text);
  const plan = await planSources(fakeApt(answers), readAptSources(path, content), upgrade);
  return Buffer.from(editAptSources(path, content, plan.switchTo(to))).toString();
}

for (const [before, codename, after] of [
  [
    "deb http://deb.debian.org/debian bullseye main",
    "bookworm",
    "deb http://deb.debian.org/debian bookworm main",
  ],
  ["deb http://m/debian/ bullseye-updates main", "bookworm", "deb http://m/debian/ bookworm-updates main"],
  // The security suite was renamed with bullseye.
  [
    "deb http://m/debian-security buster/updates main",
    "bullseye",
    "deb http://m/debian-security bullseye-security main",
  ],
  [
    "deb http://security.debian.org/ buster/updates main",
    "bullseye",
    "deb http://security.debian.org/debian-security bullseye-security main",
  ],
  [
    "deb http://security.debian.org buster/updates/ main",
    "bullseye",
    "deb http://security.debian.org/debian-security bullseye-security main",
  ],
  // What has left the mirrors is in the archive, and what has not is not.
  [
    "deb http://deb.debian.org/debian stretch main",
    "buster",
    "deb http://archive.debian.org/debian buster main",
  ],
  [
    "deb https://ftp.de.debian.org/debian/ stretch main",
    "buster",
    "deb http://archive.debian.org/debian buster main",
  ],
  [
    "deb http://security.debian.org/ stretch/updates main",
    "buster",
    "deb http://archive.debian.org/debian-security buster/updates main",
  ],
  [
    "deb http://archive.debian.org/debian buster main",
    "bullseye",
    "deb http://deb.debian.org/debian bullseye main",
  ],
  [
    "deb tor+http://deb.debian.org/debian stretch main",
    "buster",
    "deb tor+http://archive.debian.org/debian buster main",
  ],
  ["deb http://own.example/packages stretch main", "buster", "deb http://own.example/packages buster main"],
  [
    "deb http://snapshot.debian.org/archive/debian/20250901T000000Z bookworm main",
    "trixie",
    "deb http://snapshot.debian.org/archive/debian/20250901T000000Z trixie main",
  ],
  // Stretch has no -updates any more.
  ["deb http://m/debian stretch-updates main", "stretch", "# deb http://m/debian stretch-updates main"],
  ["deb http://m/debian stretch-updates main", "buster", "deb http://m/debian buster-updates main"],
  ["deb http://m/debian stable main contrib", "bookworm", "deb http://m/debian bookworm main contrib"],
  [
    "deb-src [arch=amd64] http://m/debian oldstable main",
    "trixie",
    "deb-src [arch=amd64] http://m/debian trixie main",
  ],
  // Suites that an upgrade has no place for.
  [
    "deb http://deb.debian.org/debian bullseye-backports main",
    "bookworm",
    "# deb http://deb.debian.org/debian bullseye-backports main",
  ],
  ["deb http://m/debian sid main", "bookworm", "# deb http://m/debian sid main"],
  ["deb http://m/debian ./", "bookworm", "# deb http://m/debian ./"],
  // Everybody else.
  [
    "deb https://storage.googleapis.com/cros-packages/103 bullseye main",
    "bookworm",
    "# deb https://storage.googleapis.com/cros-packages/103 bullseye main",
  ],
] as const) {
  test(`${before} for ${codename}`, async () => assert.equal(await switched(before, codename), after));
}

test("a stanza keeps the suites of the new release, and is disabled if there are none", async () => {
  const stanza = (suites: string) =>
    `Types: deb\nURIs: http://deb.debian.org/debian\nSuites: ${suites}\nComponents: main\n`;
  assert.equal(
    await switched(stanza("bullseye bullseye-updates bullseye-backports"), "bookworm", "x.sources"),
    stanza("bookworm bookworm-updates"),
  );
  const only = stanza("bullseye-backports");
  assert.equal(await switched(only, "bookworm", "x.sources"), `Enabled: no\n${only}`);
});

test("the same original gives the sources of each release in turn", async () => {
  const original = "deb http://m/debian stretch-updates main";
  assert.match(await switched(original, "stretch"), /^#/);
  assert.equal(await switched(original, "bullseye"), "deb http://m/debian bullseye-updates main");
});

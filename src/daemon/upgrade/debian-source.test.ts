import assert from "node:assert/strict";
import { test } from "node:test";
import { editAptSources } from "../guest/apt-sources.ts";
import { switchSourcesTo } from "./debian-source.ts";
import { type Release, releases } from "./releases.ts";

const release = (codename: string) => releases.find((each) => each.codename === codename) as Release;

function switched(text: string, codename: string, path = "x.list"): string {
  return Buffer.from(editAptSources(path, Buffer.from(text), switchSourcesTo(release(codename)))).toString();
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
  ["deb http://own.example/debian stretch main", "buster", "deb http://own.example/debian buster main"],
  // Stretch has no -updates any more.
  ["deb http://m/debian stretch-updates main", "stretch", "# deb http://m/debian stretch-updates main"],
  ["deb http://m/debian stretch-updates main", "buster", "deb http://m/debian buster-updates main"],
  ["deb http://m/debian stable main contrib", "bookworm", "deb http://m/debian bookworm main contrib"],
  [
    "deb-src [arch=amd64] http://m/debian oldstable main",
    "trixie",
    "deb-src [arch=amd64] http://m/debian trixie main",
  ],
  // Everybody else, by suite, component or place.
  [
    "deb http://m/debian bullseye-backports main",
    "bookworm",
    "# deb http://m/debian bullseye-backports main",
  ],
  [
    "deb https://download.docker.com/linux/debian bullseye stable",
    "bookworm",
    "# deb https://download.docker.com/linux/debian bullseye stable",
  ],
  [
    "deb https://storage.googleapis.com/cros-packages/103 bullseye main",
    "bookworm",
    "# deb https://storage.googleapis.com/cros-packages/103 bullseye main",
  ],
  ["deb http://m/debian sid main", "bookworm", "# deb http://m/debian sid main"],
  ["deb http://m/debian ./", "bookworm", "# deb http://m/debian ./"],
] as const) {
  test(`${before} for ${codename}`, () => assert.equal(switched(before, codename), after));
}

test("a stanza keeps the suites of the new release, and is disabled if there are none", () => {
  const stanza = (suites: string) =>
    `Types: deb\nURIs: http://deb.debian.org/debian\nSuites: ${suites}\nComponents: main\n`;
  assert.equal(
    switched(stanza("bullseye bullseye-updates bullseye-backports"), "bookworm", "x.sources"),
    stanza("bookworm bookworm-updates"),
  );
  const only = stanza("bullseye-backports");
  assert.equal(switched(only, "bookworm", "x.sources"), `Enabled: no\n${only}`);
});

test("the same original gives the sources of each release in turn", () => {
  const original = "deb http://m/debian stretch-updates main";
  assert.match(switched(original, "stretch"), /^#/);
  assert.equal(switched(original, "bullseye"), "deb http://m/debian bullseye-updates main");
});

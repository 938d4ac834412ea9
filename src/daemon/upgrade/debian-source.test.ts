import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { debianRelease, type FakeAnswer, fakeApt, vendorRelease } from "../../../test/support/fake-apt.ts";
import { editAptSources, readAptSources } from "../guest/apt-sources.ts";
import { placeOf } from "../mirrors/classify-sources.ts";
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

test("whatever its suites are called, a source that is not Debian's is never switched", async () => {
  const suite = fc.constantFrom(
    "bullseye",
    "stable",
    "bullseye-updates",
    "bullseye-security",
    "buster/updates",
    "x/",
  );
  const uri = fc.constantFrom(
    "http://v/debian",
    "https://u:p@v/debian-security/",
    "mirror+file:/l",
    "cdrom:[x]/",
  );
  const answer = fc.constantFrom<FakeAnswer>(vendorRelease("Vendor", "bullseye"), "404", "Connection failed");
  const entries = fc.array(fc.tuple(uri, suite), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(entries, answer, async (all, said) => {
      const text = all.map(([place, name]) => `deb ${place} ${name} main\n`).join("");
      const sources = readAptSources("x.list", Buffer.from(text));
      const places = sources.flatMap(({ uris, suites }) => placeOf(uris[0] ?? "", suites[0] ?? ""));
      const apt = fakeApt(Object.fromEntries(places.map((place) => [place, said])));
      const [from, to] = [release("bullseye"), release("bookworm")];
      const plan = await planSources(apt, sources, { from, releases: [to], to });
      const edited = editAptSources("x.list", Buffer.from(text), plan.switchTo(to));
      assert.equal(Buffer.from(edited).toString(), text.replaceAll(/^deb /gm, "# deb "));
      assert.equal(plan.problems.length, 1);
      assert.equal(plan.notes.length, all.length);
      assert.doesNotMatch([...plan.notes, ...plan.problems].join(), /u:p@/);
    }),
  );
});

test("a mirror that has the release only as testing is refused", async () => {
  const [from, to] = [release("bookworm"), release("trixie")];
  const uri = "http://snapshot.debian.org/archive/debian/20250520T000000Z";
  const early = { Origin: "Debian", Label: "Debian", Suite: "testing", Codename: "trixie" };
  const sources = readAptSources("x.list", Buffer.from(`deb ${uri} bookworm main\n`));
  const apt = fakeApt({ [`${uri}/dists/trixie`]: early });
  const { problems } = await planSources(apt, sources, { from, releases: [to], to });
  assert.match(problems.join(), /has Debian 13 \(trixie\) only as testing/);
});

test("a release that a mirror does not have comes from its archive, else from Debian's", async () => {
  const [from, to] = [release("bullseye"), release("bookworm")];
  const lines = "deb http://m/debian bullseye main\ndeb http://m/debian bullseye-updates main\n";
  const sources = readAptSources("x.list", Buffer.from(lines));
  const known = {
    ...answers,
    "http://m/debian/dists/bookworm": "404",
    "http://archive.debian.org/debian/dists/bookworm": debianRelease("bookworm"),
    "http://archive.debian.org/debian/dists/bookworm-updates": "404",
  };
  const plan = await planSources(fakeApt(known), sources, { from, releases: [to], to });
  const switchTo = (each: Release) =>
    Buffer.from(editAptSources("x.list", Buffer.from(lines), plan.switchTo(each))).toString();
  assert.equal(
    switchTo(to),
    "deb http://archive.debian.org/debian bookworm main\n# deb http://m/debian bullseye-updates main\n",
  );
  assert.equal(switchTo(from), lines);
  assert.deepEqual([plan.path.from.archived, plan.path.to.archived], [undefined, true]);
  assert.match(plan.notes.join(), /http:\/\/m\/debian no longer has Debian 12 \(bookworm\)/);
  const near = { ...known, "http://m/debian-archive/debian/dists/bookworm": debianRelease("bookworm") };
  const nearPlan = await planSources(fakeApt(near), sources, { from, releases: [to], to });
  assert.match(nearPlan.notes.join(), /fetched from http:\/\/m\/debian-archive\/debian/);
});

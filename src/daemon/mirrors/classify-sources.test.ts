import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { debianRelease, type FakeAnswer, fakeApt, vendorRelease } from "../../../test/support/fake-apt.ts";
import { readAptSources } from "../guest/apt-sources.ts";
import { parseFailures } from "./ask-release-files.ts";
import { classifySources, parseIndexTargets, placeOf } from "./classify-sources.ts";

async function owner(line: string, answers: Record<string, FakeAnswer> = {}, more = {}) {
  const sources = readAptSources("x.list", Buffer.from(`${line}\n`));
  const [source] = sources;
  assert.ok(source, line);
  return (await classifySources(sources, fakeApt(answers, more))).of(source);
}

const vendors = [
  ["https://dl.yarnpkg.com/debian/", "stable", "Yarn"],
  ["https://pkgs.tailscale.com/stable/debian", "bookworm", "Tailscale"],
  ["https://dlm.mariadb.com/repo/mariadb-server/11.4/repo/debian", "bookworm", "MariaDB"],
  [
    "https://packages.gitlab.com/gitlab/gitlab-ce/debian/",
    "bookworm",
    "packages.gitlab.com/gitlab/gitlab-ce",
  ],
  ["https://dl.winehq.org/wine-builds/debian", "bookworm", "dl.winehq.org"],
  ["https://repos.influxdata.com/debian", "stable", "repos.influxdata.com"],
  ["https://download.virtualbox.org/virtualbox/debian", "bookworm", "Oracle Corporation"],
  ["https://repo.zabbix.com/zabbix/7.0/debian", "bookworm", "Zabbix"],
] as const;

for (const [uri, suite, origin] of vendors) {
  test(`${uri} is not Debian's, and unknown while it does not answer`, async () => {
    const line = `deb ${uri} ${suite} main`;
    const place = placeOf(uri, suite);
    assert.deepEqual(await owner(line, { [place]: vendorRelease(origin, suite) }), { name: "other", origin });
    assert.deepEqual(await owner(line), { name: "unknown", reason: "Could not resolve 'host'" });
    assert.deepEqual(await owner(line, { [place]: "404" }), {
      name: "unknown",
      reason: "it has no Release file",
    });
  });
}

for (const uri of [
  "https://host.example/artifactory/debian-remote",
  "http://debian.mirror.example/",
  "http://mirror.example:8080/pub/linux/debian",
]) {
  test(`${uri} is Debian's if it says so`, async () => {
    const answers = { [placeOf(uri, "oldstable")]: debianRelease("bookworm") };
    assert.deepEqual(await owner(`deb [arch=amd64] ${uri} oldstable main # ours`, answers), {
      name: "debian",
      suite: { release: "bookworm", role: "main" },
    });
  });
}

test("an old repository that only has the unsigned file is read too", async () => {
  const apt = fakeApt({ "http://m.example/d/dists/x": "404" });
  await classifySources(readAptSources("x.list", Buffer.from("deb http://m.example/d x main\n")), apt);
  assert.deepEqual(apt.asked, ["http://m.example/d/dists/x/InRelease", "http://m.example/d/dists/x/Release"]);
});

test("an entry is Debian's only if all its places are", async () => {
  const stanza = "Types: deb\nURIs: http://deb.debian.org/debian http://v.example/debian\nSuites: trixie\n";
  const sources = readAptSources("x.sources", Buffer.from(stanza));
  const of = async (answer: FakeAnswer) => {
    const owners = await classifySources(
      sources,
      fakeApt({ "http://v.example/debian/dists/trixie": answer }),
    );
    return owners.of(sources[0] as (typeof sources)[0]).name;
  };
  assert.equal(await of(debianRelease("trixie")), "debian");
  assert.equal(await of(vendorRelease("Vendor", "trixie")), "other");
  assert.equal(await of("Could not connect"), "unknown");
});

test("a suite that has left a mirror of Debian is still Debian's, one at a vendor's is not", async () => {
  const stanza = "Types: deb\nURIs: http://m.example/debian/\nSuites: bullseye bullseye-backports\n";
  const sources = readAptSources("x.sources", Buffer.from(stanza));
  const main = "http://m.example/debian/dists/bullseye";
  const of = async (answers: Record<string, FakeAnswer>) => {
    const owners = await classifySources(sources, fakeApt(answers));
    return owners.of(sources[0] as (typeof sources)[0]).name;
  };
  assert.equal(await of({ [main]: debianRelease("bullseye"), [`${main}-backports`]: "404" }), "debian");
  assert.equal(await of({ [main]: "404", [`${main}-backports`]: "404" }), "unknown");
  assert.equal(await of({ [main]: vendorRelease("V", "bullseye"), [`${main}-backports`]: "404" }), "other");
});

test("a list of mirrors is whose its mirrors are", async () => {
  const line = "deb mirror+file:/etc/apt/mirrors/x.list trixie main";
  const listed = (text: string) => ({ files: { "/etc/apt/mirrors/x.list": text } });
  assert.equal((await owner(line, {}, listed("https://deb.debian.org/debian\n"))).name, "debian");
  const vendor = { "http://v.example/d/dists/trixie": vendorRelease("V", "trixie") };
  assert.equal((await owner(line, vendor, listed("http://v.example/d\n"))).name, "other");
  assert.equal((await owner(line)).name, "unknown");
});

test("what apt has read before needs no question, and passwords appear in no reason", async () => {
  const read = "http://u:p@v.example/debian/\ttrixie\tDebian\tDebian\tstable\ttrixie\n";
  assert.equal((await owner("deb http://u:p@v.example/debian trixie main", {}, { read })).name, "debian");
  const reason = "Could not connect to http://u:p@v.example/";
  const silent = await owner("deb http://u:p@v.example/d x main", {
    "http://u:p@v.example/d/dists/x": reason,
  });
  assert.deepEqual(silent, { name: "unknown", reason: "Could not connect to http://v.example/" });
});

test("a place that no question can be put to is unknown, and nothing is asked", async () => {
  for (const line of ["deb cdrom:[Debian 12]/ bookworm main", 'deb "http://a b/" x main', "deb -o x main"]) {
    const apt = fakeApt({});
    const sources = readAptSources("x.list", Buffer.from(`${line}\n`));
    const owners = await classifySources(sources, apt);
    assert.equal(owners.of(sources[0] as (typeof sources)[0]).name, "unknown");
    assert.deepEqual(apt.asked, []);
  }
});

test("hundreds of sources are not all asked", async () => {
  const text = Array.from({ length: 400 }, (_, index) => `deb http://h${index}.example/d x main\n`).join("");
  const apt = fakeApt({});
  await classifySources(readAptSources("x.list", Buffer.from(text)), apt);
  assert.equal(apt.asked.length, 100);
});

test("apt's reasons are parsed", () => {
  const output = `Get:1 http://a/InRelease [3 B]
Err:2 http://b/InRelease
  404  Not Found [IP: 10.0.0.1 80]
Err:3 http://c/InRelease
Ign:4 http://d/InRelease
  Could not connect
Fetched 3 B
`;
  assert.deepEqual(
    [...parseFailures(output)],
    [
      ["http://b/InRelease", "404  Not Found [IP: 10.0.0.1 80]"],
      ["http://d/InRelease", "Could not connect"],
    ],
  );
});

test("any output of a container's apt is parsed, and gives nothing that was not there", () => {
  const piece = fc.constantFrom(
    "\t",
    "\n",
    "http://a/",
    "trixie",
    "Debian",
    "$(ORIGIN)",
    "Err:1 ",
    "  ",
    "\0",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join("")),
      ),
      (text) => {
        for (const [place, release] of parseIndexTargets(text)) {
          assert.ok(place.includes("/dists/"));
          for (const value of Object.values(release)) assert.ok(text.includes(value));
        }
        for (const reason of parseFailures(text).values()) assert.ok(text.includes(reason));
      },
    ),
  );
});

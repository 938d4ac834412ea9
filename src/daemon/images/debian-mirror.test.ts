import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { debianRelease, type FakeAnswer, fakeApt, vendorRelease } from "../../../test/support/fake-apt.ts";
import { type DebianMirrors, findMirrors, releaseSources } from "./debian-mirror.ts";

const defaults = { main: "http://deb.debian.org/debian", security: "http://deb.debian.org/debian-security" };
const addresses: Readonly<Record<string, readonly string[]>> = { "own.example": ["127.0.1.1"] };

interface Machine {
  /** Its apt sources by path below /etc/apt. */
  readonly apt: Readonly<Record<string, string>>;
  readonly answers?: Readonly<Record<string, FakeAnswer>>;
  /** Other files by path or URI. */
  readonly files?: Readonly<Record<string, string>>;
  readonly read?: string;
}

async function found({ apt, answers = {}, files = {}, read = "" }: Machine) {
  const aptFolder = await mkdtemp(join(tmpdir(), "apt-"));
  try {
    for (const [path, text] of Object.entries(apt)) {
      await mkdir(dirname(join(aptFolder, path)), { recursive: true });
      await writeFile(join(aptFolder, path), text);
    }
    const machine = fakeApt(answers, { files, read });
    const resolve = (host: string) => Promise.resolve(addresses[host] ?? ["198.51.100.7"]);
    const mirrors = await findMirrors("trixie", machine, { aptFolder, resolve });
    return { mirrors, asked: machine.asked };
  } finally {
    await rm(aptFolder, { recursive: true });
  }
}

/** The answers of a mirror that has trixie. */
function mirror(uri: string, security = `${uri}-security`): Record<string, FakeAnswer> {
  return {
    [`${uri}/dists/bookworm`]: debianRelease("bookworm"),
    [`${uri}/dists/trixie`]: debianRelease("trixie"),
    [`${uri}/dists/trixie-updates`]: debianRelease("trixie-updates"),
    [`${security}/dists/trixie-security`]: debianRelease("trixie-security", "Debian-Security"),
  };
}

const chosen = ({ build, inside }: DebianMirrors) => [
  build.main,
  build.security,
  inside.main,
  inside.security,
];

/** The same for build and container. */
const both = (main: string, security = `${main}-security`) => [main, security, main, security];
const byDefault = both(defaults.main);

for (const vendor of [
  "deb [arch=amd64] https://dl.google.com/linux/chrome/deb stable main",
  "deb https://packages.microsoft.com/repos/code stable main",
  "deb [signed-by=/usr/share/keyrings/gh.gpg] https://cli.github.com/packages stable main",
  "deb https://dl.yarnpkg.com/debian/ stable main",
  "deb https://pkgs.tailscale.com/stable/debian trixie main",
]) {
  const [uri = ""] = /https:[^ ]+/.exec(vendor) ?? [];
  const list = { "sources.list": `${vendor}\n` };
  const name = uri.replace(/\/+$/, "");
  test(`${uri} is no mirror of Debian, whether it answers or not`, async () => {
    assert.deepEqual(chosen((await found({ apt: list })).mirrors), byDefault);
    for (const suite of ["stable", "trixie"]) {
      const answers = { [`${name}/dists/${suite}`]: vendorRelease("Vendor", suite) };
      assert.deepEqual(chosen((await found({ apt: list, answers })).mirrors), byDefault);
    }
  });
}

test("a derivative with Debian's suites is no mirror of Debian", async () => {
  for (const [uri, origin] of [
    ["http://raspbian.raspberrypi.org/raspbian", "Raspbian"],
    ["http://deb.devuan.org/merged", "Devuan"],
    ["http://http.kali.org/kali", "Kali"],
    ["http://archive.ubuntu.com/ubuntu", "Ubuntu"],
  ] as const) {
    const answers = { [`${uri}/dists/trixie`]: vendorRelease(origin, "trixie") };
    const { mirrors } = await found({ apt: { "sources.list": `deb ${uri} trixie main\n` }, answers });
    assert.deepEqual(chosen(mirrors), byDefault);
  }
});

test("a mirror is recognized by what it says, whatever its name", async () => {
  for (const uri of [
    "https://host.example/artifactory/debian-remote",
    "http://debian.mirror.example",
    "http://cache.example:3142/deb.debian.org/debian",
  ]) {
    const { mirrors } = await found({
      apt: { "sources.list": `deb ${uri}/ bookworm main\n` },
      answers: mirror(uri),
    });
    assert.deepEqual(chosen(mirrors), both(uri));
  }
});

test("what apt has read before is not asked again", async () => {
  const uri = "http://packages.example/stuff";
  const read = `${uri}/\tstable\tDocker\tDocker CE\tstable\tstable\n`;
  const { asked } = await found({ apt: { "sources.list": `deb ${uri} stable main\n` }, read });
  assert.deepEqual(
    asked.filter((each) => each.includes("packages.example")),
    [],
  );
});

test("Debian's own servers need no answer, except those for old packages", async () => {
  for (const [uri, security] of [
    ["http://ftp.fr.debian.org/debian", defaults.security],
    ["https://deb.debian.org/debian", "https://deb.debian.org/debian-security"],
    ["http://cdn-aws.deb.debian.org/debian", "http://cdn-aws.deb.debian.org/debian-security"],
  ] as const) {
    const { mirrors } = await found({ apt: { "sources.list": `deb ${uri} sid main\n` } });
    assert.deepEqual(chosen(mirrors), both(uri, security));
  }
  for (const uri of [
    "http://archive.debian.org/debian",
    "http://snapshot.debian.org/archive/debian/20200101T000000Z",
    "http://people.debian.org/debian",
  ]) {
    const { mirrors } = await found({ apt: { "sources.list": `deb ${uri} trixie main\n` } });
    assert.deepEqual(chosen(mirrors), byDefault);
  }
});

test("a mirror without the release is not used", async () => {
  const old = { "http://m.example/debian/dists/bookworm": debianRelease("bookworm") };
  const { mirrors } = await found({
    apt: { "sources.list": "deb http://m.example/debian bookworm main\n" },
    answers: { ...old, "http://m.example/debian/dists/trixie": "404" },
  });
  assert.deepEqual(chosen(mirrors), byDefault);
});

test("a release that has left the mirrors comes from the archive", async () => {
  const { mirrors } = await found({
    apt: {},
    answers: {
      "http://deb.debian.org/debian/dists/trixie": "404",
      "http://deb.debian.org/debian-security/dists/trixie-security": "404",
      ...mirror("http://archive.debian.org/debian"),
    },
  });
  assert.deepEqual(chosen(mirrors), both("http://archive.debian.org/debian"));
  assert.equal(
    releaseSources("trixie", mirrors.inside),
    `Types: deb
URIs: http://archive.debian.org/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Check-Valid-Until: no

Types: deb
URIs: http://archive.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Check-Valid-Until: no
`,
  );
});

test("the security updates are those of the machine, or next to the packages", async () => {
  const line = "deb http://m.example/debian bookworm main\n";
  const answers = { ...mirror("http://m.example/debian", "http://s.example/sec") };
  const extra = "deb http://s.example/sec trixie-security main\n";
  const { mirrors } = await found({ apt: { "sources.list": line + extra }, answers });
  assert.deepEqual(chosen(mirrors), both("http://m.example/debian", "http://s.example/sec"));
  const without = await found({ apt: { "sources.list": line }, answers });
  assert.deepEqual(chosen(without.mirrors), both("http://m.example/debian", defaults.security));
});

test("a password is used for the build only, and a mirror that asks for one not in containers", async () => {
  const secret = "https://ada:s3cret@own-mirror.example/debian";
  const plain = "https://own-mirror.example/debian";
  const apt = { "sources.list": `deb ${secret} bookworm main\n` };
  const closed = await found({ apt, answers: mirror(secret) });
  assert.deepEqual(chosen(closed.mirrors), [secret, `${secret}-security`, defaults.main, defaults.security]);
  const open = await found({ apt, answers: { ...mirror(secret), ...mirror(plain) } });
  assert.deepEqual(chosen(open.mirrors), [secret, `${secret}-security`, plain, `${plain}-security`]);
});

test("places that only the machine has do not go into containers", async () => {
  for (const uri of [
    "http://localhost:3142/debian",
    "http://127.0.0.1/debian",
    "http://[::1]:9999/debian",
    "http://own.example/debian",
    "http://cache/debian",
    "http://nas.local/debian",
  ]) {
    const apt = { "sources.list": `deb ${uri} bookworm main\n` };
    const { mirrors } = await found({ apt, answers: mirror(uri) });
    assert.deepEqual(chosen(mirrors), [uri, `${uri}-security`, defaults.main, defaults.security]);
  }
  for (const uri of [
    "file:/srv/debian",
    "copy:/srv/debian",
    "file:///srv/debian",
    "ftp://m.example/debian",
  ]) {
    const apt = { "sources.list": `deb ${uri} bookworm main\n` };
    assert.deepEqual(chosen((await found({ apt, answers: mirror(uri) })).mirrors), byDefault);
  }
  const disc = "deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main\n";
  const { mirrors, asked } = await found({ apt: { "sources.list": disc } });
  assert.deepEqual(chosen(mirrors), byDefault);
  assert.deepEqual(
    asked.filter((each) => each.startsWith("cdrom:")),
    [],
  );
});

test("of a list of mirrors the first one is used, not the list", async () => {
  const stanza = `Types: deb deb-src
URIs: mirror+file:/etc/apt/mirrors/debian.list
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: mirror+https://lists.example/mirrors.txt
Suites: bookworm
Components: main
`;
  const apt = { "sources.list.d/debian.sources": stanza };
  const { mirrors } = await found({
    apt,
    files: { "/etc/apt/mirrors/debian.list": "https://deb.debian.org/debian\n" },
  });
  assert.equal(mirrors.inside.main, "https://deb.debian.org/debian");
  const near = await found({
    apt,
    files: {
      "https://lists.example/mirrors.txt":
        "# ours\nhttp://far.example/debian priority:2\nhttp://near.example/debian\tpriority:1\n",
    },
    answers: mirror("http://near.example/debian"),
  });
  assert.equal(near.mirrors.inside.main, "http://near.example/debian");
});

test("both formats are read; what is disabled, only for sources, or in a file that apt ignores is not", async () => {
  const stanza = (more: string) =>
    `Types: deb\n${more}URIs: http://m.example/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n URIs: x\n`;
  const answers = mirror("http://m.example/debian");
  const used = await found({ apt: { "sources.list.d/a.sources": stanza("") }, answers });
  assert.equal(used.mirrors.inside.main, "http://m.example/debian");
  for (const apt of [
    { "sources.list.d/a.sources": stanza("Enabled: no\n") },
    { "sources.list.d/a.sources.save": stanza("") },
    { "sources.list.d/a b.sources": stanza("") },
    { "sources.list": "# deb http://m.example/debian bookworm main\n" },
    { "sources.list": "deb-src http://m.example/debian bookworm main\n" },
  ]) {
    assert.deepEqual(chosen((await found({ apt, answers })).mirrors), byDefault);
  }
});

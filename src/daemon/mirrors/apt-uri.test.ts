import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { withoutCredentials } from "../../base/without-credentials.ts";
import { parseAptUri } from "./apt-uri.ts";
import { officialPlace } from "./official-place.ts";
import { isPrivatePlace } from "./private-place.ts";

for (const [uri, scheme, credentials, host, path] of [
  ["http://Deb.Debian.org/debian/", "http:", "", "deb.debian.org", "/debian"],
  ["https://a:b@host:8080/x//", "https:", "a:b@", "host", "/x"],
  ["https://a@b:c@host", "https:", "a@b:c@", "host", ""],
  ["http://[::1]:80/d", "http:", "", "::1", "/d"],
  ["http://host./d", "http:", "", "host", "/d"],
  ["file:/srv/d", "file:", "", "", "/srv/d"],
  ["mirror+file:/etc/apt/mirrors/x.list", "mirror+file:", "", "", "/etc/apt/mirrors/x.list"],
  ["nothing", "", "", "", "nothing"],
] as const) {
  test(`the parts of ${uri}`, () => {
    const { authority: _, ...parts } = parseAptUri(uri);
    assert.deepEqual(parts, { scheme, credentials, host, path });
  });
}

test("no text is too much for the parsers of URIs", () => {
  for (const filling of ["/", "@", ":", "a", "a:", "http://", "[", "\n", "://@"]) {
    const uri = `http://x${filling.repeat(100_000)}\n`;
    inLinearTime(() => parseAptUri(uri));
    inLinearTime(() => withoutCredentials(uri));
    inLinearTime(() => officialPlace(uri));
  }
});

test("no password is left in any text", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9:%.!@]{1,40}$/);
  fc.assert(
    fc.property(fc.string(), word, fc.string(), (before, secret, after) => {
      assert.ok(
        !withoutCredentials(`${before} http://u:k3y${secret}@host/ ${after}`).includes(`k3y${secret}`),
      );
    }),
  );
});

for (const [uri, content] of [
  ["http://deb.debian.org/debian", "main"],
  ["https://deb.debian.org/debian-security/", "security"],
  ["http://ftp.de.debian.org/debian", "main"],
  ["http://ftp2.de.debian.org/debian", "main"],
  ["http://security.debian.org", "security"],
  ["http://security.debian.org/debian-security", "security"],
  ["http://archive.debian.org/debian", "main"],
  ["http://snapshot.debian.org/archive/debian-security/20250520T000000Z/", "security"],
  ["http://cdn-aws.deb.debian.org/debian", "main"],
  ["tor+https://deb.debian.org/debian", "main"],
  ["http://ftp.de.debian.org/debian-archive/debian/", "main"],
  ["https://DEB.debian.org:443/debian", "main"],
  ["http://deb.debian.org:8080/debian", undefined],
  ["http://people.debian.org/debian", undefined],
  ["http://ftp.uk.debian.org/ubuntu", undefined],
  ["http://deb.debian.org.example/debian", undefined],
  ["http://xdebian.org/debian", undefined],
  ["http://deb.debian.org@evil.example/debian", undefined],
  ["file://deb.debian.org/debian", undefined],
  ["http://fasttrack.debian.net/debian", undefined],
] as const) {
  test(`${uri} ${content ? "is Debian's by its name" : "has to be asked"}`, () => {
    assert.equal(officialPlace(uri)?.content, content);
  });
}

for (const [uri, isPrivate] of [
  ["http://mirror.example/debian", false],
  ["http://192.168.1.5/debian", false],
  ["http://127.1.2.3/debian", true],
  ["http://0.0.0.0/debian", true],
  ["http://169.254.1.1/debian", true],
  ["http://[fe80::1]/debian", true],
  ["http://[::ffff:127.0.0.1]/debian", true],
  ["http://LOCALHOST:80/debian", true],
  ["http://apt.localhost/debian", true],
  ["http://mirror/debian", true],
  ["http://this-machine.example/debian", true],
  ["http://u@mirror.example/debian", true],
  ["ssh://mirror.example/debian", true],
  ["file:/debian", true],
  ["", true],
] as const) {
  test(`${uri} ${isPrivate ? "does not go" : "may go"} into a container`, async () => {
    const resolve = (host: string) =>
      Promise.resolve(host === "this-machine.example" ? ["198.51.100.1", "127.0.1.1"] : ["198.51.100.1"]);
    assert.equal(await isPrivatePlace(uri, resolve), isPrivate);
  });
}

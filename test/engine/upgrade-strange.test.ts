import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import {
  UpgradeContainerProgress_Status as Ended,
  UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import { baseFiles, stateOf } from "../support/apt-container.ts";
import { type FakePackage, signingKey } from "../support/debian-repository.ts";
import { execute } from "../support/system-state.ts";
import { tool, UpgradeFixture } from "../support/upgrade-fixture.ts";

/** Containers that are strange but healthy, and those that only the look can save. */
let place: UpgradeFixture;
let name: string;

before(async () => {
  place = await UpgradeFixture.open();
});
after(() => place?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await place.offer();
  name = await place.container();
});

const stretch = (...packages: FakePackage[]) => ({
  suite: "stretch",
  packages: [baseFiles("9", "stretch"), ...packages],
});
const buster = (...packages: FakePackage[]) => ({
  suite: "buster",
  packages: [baseFiles("10", "buster"), ...packages],
});

async function look() {
  const request = { containerName: name, targetVersion: Version.DEBIAN_BUSTER };
  return (await Array.fromAsync(place.daemon.guest.checkUpgrade(request))).at(-1);
}

/** Holds the locks of dpkg and apt as another apt does, until /run/free exists. */
const HOLD_LOCKS = `use Fcntl;
my $lock = pack("s s x![q] q q i", F_WRLCK, 0, 0, 0, 0);
for (@ARGV) {
  open(my $file, ">>", $_) or die;
  fcntl($file, F_SETLK, $lock) or die;
  push @held, $file;
}
open(my $held, ">", "/run/held");
select(undef, undef, undef, 0.2) until -e "/run/free";`;
const LOCKS = ["dpkg/lock-frontend", "apt/lists/lock"].map((path) => `/var/lib/${path}`);

test("a person's settings, odd accounts, a busy apt and a service that keeps the output open are no obstacle", async () => {
  const app = (version: string, fields = {}) => ({ name: "app", version, fields });
  const old = [app("1", { Depends: "libold" }), { name: "libold", version: "1" }];
  const scripts = { postinst: "sleep 1000000 &" };
  await place.offer(stretch(tool("1"), ...old), buster(tool("2", { scripts }), app("2")));
  await place.inside(name, "apt-get -q update && apt-get -qy install app");
  await place.inside(name, `echo 'APT::Default-Release "stretch";' > /etc/apt/apt.conf.d/50person`);
  await place.inside(name, "printf 'odd\\nwheel:x:10:,,\\n' >> /etc/group");
  const holder = `perl -e '${HOLD_LOCKS}' ${LOCKS.join(" ")} </dev/null >/dev/null 2>&1 &`;
  await place.inside(name, `${holder} until [ -e /run/held ]; do sleep 0.1; done`);
  assert.deepEqual((await look())?.problems, []);
  assert.match((await look())?.notes.join() ?? "", /another program uses apt or dpkg now; the upgrade waits/);

  await place.begin(name, Version.DEBIAN_BUSTER);
  await place.until("the wait", async () => /waiting for another program/.test(await place.log(name)));
  await place.inside(name, "touch /run/free");
  const final = await place.daemon.listener.final("upgrade", name, 120_000);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.match(place.lines(name).join("\n"), /^APT::Default-Release is "stretch".*: change it to buster/m);
  assert.match(place.lines(name).join("\n"), /^nothing .* autoremove removed them; .*: libold$/m);
  assert.equal(await place.inside(name, "cat /usr/share/tool/version"), "2\n");
});

test("a package that was broken before stays broken, and the rest is upgraded", async () => {
  const scripts = { postinst: "exit 3" };
  const app = (version: string) => ({ name: "app", version, scripts });
  await place.offer(stretch(tool("1"), app("1")), buster(tool("2"), app("2")));
  await place.inside(name, "apt-get -q update; apt-get -qy install app || true");
  assert.match(await place.inside(name, "dpkg --audit"), /half configured[\s\S]* app/);
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.match(await place.inside(name, "cat /etc/os-release"), /VERSION_ID="10"/);
  assert.equal(await place.inside(name, "cat /usr/share/tool/version"), "2\n");
});

test("the keys of the new release come with the keyring package, or the look refuses", async () => {
  const key = await signingKey(join(place.daemon.folder, "newer"));
  const { stdout } = await execute("gpg", ["--homedir", key.home, "--batch", "--armor", "--export"]);
  await execute("gpgconf", ["--homedir", key.home, "--kill", "all"]);
  await place.offer({ ...buster(tool("2")), key });
  const before = await stateOf(place.engine, name);
  assert.match((await look())?.problems.join() ?? "", /NO_PUBKEY/);
  assert.deepEqual(await stateOf(place.engine, name), before);

  const keyring = {
    name: "debian-archive-keyring",
    version: "2099",
    files: { "etc/apt/trusted.gpg.d/newer.asc": stdout },
  };
  await place.offer(stretch(tool("1"), keyring), { ...buster(tool("2")), key });
  const seen = await look();
  assert.deepEqual(seen?.problems, []);
  assert.match(seen?.notes.join() ?? "", /does not have the keys of the new release yet/);
  assert.deepEqual(await stateOf(place.engine, name), before);
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
});

test("a pin that keeps the old release, a plan that fails and a read-only mount are refused by the look", async () => {
  const pin = "Package: base-files\\nPin: release n=buster\\nPin-Priority: -1\\n";
  await place.inside(name, `printf '${pin}' > /etc/apt/preferences.d/person`);
  const source = join(place.daemon.folder, "mounted");
  await mkdir(source);
  const mounted = { type: "disk", source, path: "/usr/share/tool", readonly: "true" };
  await place.engine.instances.update(name, (instance) => ({
    ...instance,
    devices: { ...instance.devices, mounted },
  }));
  const before = await stateOf(place.engine, name);
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.FAILED);
  assert.match(final.failureReason, /packages have files at \/usr\/share\/tool, which cannot be replaced/);
  assert.match(final.failureReason, /apt would keep base-files as it is.*a pin in \/etc\/apt\/preferences/);
  assert.match(final.failureReason, /nothing in it was changed$/);

  await place.inside(name, "rm /etc/apt/preferences.d/person");
  const conflicts = { ...baseFiles("10", "buster"), fields: { Essential: "yes", Conflicts: "dpkg" } };
  await place.offer({ suite: "buster", packages: [conflicts] });
  assert.match(
    (await look())?.problems.join() ?? "",
    /apt would keep base-files as it is|planning .* failed/,
  );
  const { etc: _, ...rest } = before;
  const { etc: __, ...now } = await stateOf(place.engine, name);
  assert.deepEqual(now, rest);
});

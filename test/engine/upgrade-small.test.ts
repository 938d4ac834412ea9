import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { RollbackResponse_Status as Rollback } from "../../src/contract/tremplin/v1/guest_pb.js";
import {
  UpgradeContainerResponse_Status as Answer,
  UpgradeContainerProgress_Status as Ended,
  UpgradeContainerRequest_Version as Version,
} from "../../src/contract/tremplin_pb.js";
import { baseFiles, stateOf } from "../support/apt-container.ts";
import { tool, UpgradeFixture } from "../support/upgrade-fixture.ts";

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

const snapshots = () => place.engine.snapshots.list(name);

test("over two releases, files changed by hand stay, and foreign sources are disabled", async () => {
  await place.inside(name, "echo mine > /etc/tool.conf");
  await place.inside(name, "echo mozilla/DST_Root_CA_X3.crt > /etc/ca-certificates.conf");
  const third = `deb ${place.mirror.url}/other stretch stable`;
  await place.inside(name, `echo '${third}' > /etc/apt/sources.list.d/other.list`);
  await place.inside(
    name,
    `printf 'Types: deb\\nURIs: ${place.mirror.url}\\nSuites: stretch stretch-backports\\nComponents: main\\n' > /etc/apt/sources.list.d/debian.sources; rm /etc/apt/sources.list`,
  );
  const final = await place.upgrade(name, Version.DEBIAN_BULLSEYE);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.match(
    final.progressMessages.at(-1) ?? "",
    /^it runs Debian 11 \(bullseye\) now; for seven days .*--rollback/,
  );
  assert.match(await place.inside(name, "cat /etc/os-release"), /VERSION_ID="11"/);
  assert.equal(await place.inside(name, "cat /usr/share/tool/version /etc/tool.conf"), "3\nmine\n");
  assert.equal(await place.inside(name, "cat /etc/apt/sources.list.d/other.list"), `# ${third}\n`);
  assert.equal(await place.inside(name, "cat /etc/ca-certificates.conf"), "!mozilla/DST_Root_CA_X3.crt\n");
  assert.match(await place.inside(name, "cat /etc/apt/sources.list.d/debian.sources"), /^Suites: bullseye$/m);
  assert.deepEqual(place.lines(name), (await place.log(name)).trimEnd().split("\n"));
  const [snapshot, ...others] = await snapshots();
  assert.equal(others.length, 0);
  const days = (Date.parse(snapshot?.expires_at ?? "") - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days < 7.1, snapshot?.expires_at);
});

test("a release that has left the mirror is found in its archive, which the look says", async () => {
  await place.archive("buster");
  const request = { containerName: name, targetVersion: Version.DEBIAN_BULLSEYE };
  const look = (await Array.fromAsync(place.daemon.guest.checkUpgrade(request))).at(-1);
  const archive = place.mirror.url.replace(/debian$/, "debian-archive/debian");
  assert.deepEqual(look?.problems, []);
  assert.ok(
    look?.notes.includes(
      `${place.mirror.url} no longer has Debian 10 (buster): it will be fetched from ${archive}`,
    ),
    look?.notes.join("; "),
  );
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.equal(await place.inside(name, "cat /etc/apt/sources.list"), `deb ${archive} buster main\n`);
});

test("a vendor with Debian's names is not taken for Debian, and no password is shown", async () => {
  const uri = (await place.vendor("Vendor")).replace("http://", "http://ada:s3cret@");
  const line = `deb ${uri} stretch main`;
  await place.inside(name, `echo '${line}' > /etc/apt/sources.list.d/vendor.list`);
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.equal(await place.inside(name, "cat /etc/apt/sources.list.d/vendor.list"), `# ${line}\n`);
  const log = await place.log(name);
  assert.match(log, /is not Debian's, it is from "Vendor", and will be disabled: http:\/\/packages\.example/);
  assert.doesNotMatch(log, /s3cret/);
});

test("an upgrade is rolled back on demand, or its rollback snapshot is deleted on demand", async () => {
  const before = await stateOf(place.engine, name);
  assert.equal((await place.upgrade(name, Version.DEBIAN_BUSTER)).status, Ended.SUCCEEDED);
  assert.notDeepEqual(await stateOf(place.engine, name), before);
  const { guest, listener } = place.daemon;
  assert.equal((await guest.undoUpgrade({ containerName: name })).status, Rollback.STARTED);
  const undone = await listener.final("upgrade", name);
  assert.equal(undone.status, Ended.SUCCEEDED, undone.failureReason);
  assert.deepEqual(await stateOf(place.engine, name), before);
  assert.deepEqual(await snapshots(), []);
  assert.equal((await guest.undoUpgrade({ containerName: name })).status, Rollback.NO_ROLLBACK_SNAPSHOT);

  assert.equal((await place.upgrade(name, Version.DEBIAN_BUSTER)).status, Ended.SUCCEEDED);
  assert.equal((await guest.keepUpgrade({ containerName: name })).status, Rollback.STARTED);
  assert.equal((await listener.final("upgrade", name)).status, Ended.SUCCEEDED);
  assert.deepEqual(await snapshots(), []);
  assert.equal((await guest.keepUpgrade({ containerName: name })).status, Rollback.NO_ROLLBACK_SNAPSHOT);
});

test("a container that cannot be upgraded is refused at once", async () => {
  const ask = async (containerName: string, targetVersion: Version) => {
    const { status, failureReason } = await place.daemon.tremplin.upgradeContainer({
      containerName,
      targetVersion,
    });
    assert.notEqual(failureReason, "");
    return status;
  };
  assert.equal(await ask(name, Version.UNKNOWN), Answer.NOT_SUPPORTED);
  assert.equal(await ask(name, 99 as Version), Answer.NOT_SUPPORTED);
  assert.equal(await ask(name, Version.DEBIAN_STRETCH), Answer.ALREADY_UPGRADED);
  assert.equal(await ask("nobody", Version.DEBIAN_BUSTER), Answer.FAILED);
  assert.equal(await ask("-", Version.DEBIAN_BUSTER), Answer.FAILED);
  assert.equal(await ask("base", Version.DEBIAN_BUSTER), Answer.FAILED);
  await place.inside(name, "sed -i 's/VERSION_ID=.*/VERSION_ID=\"11\"/' /usr/lib/os-release");
  assert.equal(await ask(name, Version.DEBIAN_BUSTER), Answer.NOT_SUPPORTED);
  await place.inside(name, "sed -i 's/ID=debian/ID=other/' /usr/lib/os-release");
  assert.equal(await ask(name, Version.DEBIAN_BUSTER), Answer.NOT_SUPPORTED);
  assert.deepEqual(place.lines(name), []);
});

test("a check beforehand reports findings and changes nothing", async () => {
  await place.inside(name, "apt-mark hold tool");
  const before = await stateOf(place.engine, name);
  const look = async () => {
    const request = { containerName: name, targetVersion: Version.DEBIAN_BULLSEYE };
    return (await Array.fromAsync(place.daemon.guest.checkUpgrade(request))).at(-1);
  };
  assert.match((await look())?.problems.join() ?? "", /held back \(tool\).*apt-mark unhold/);
  assert.deepEqual(await stateOf(place.engine, name), before);
  const final = await place.upgrade(name, Version.DEBIAN_BULLSEYE);
  assert.equal(final.status, Ended.FAILED);
  assert.match(final.failureReason, /held back \(tool\).*nothing in it was changed$/);
  assert.deepEqual(await stateOf(place.engine, name), before);
  assert.deepEqual(await snapshots(), []);

  await place.inside(name, "apt-mark unhold tool");
  const last = await look();
  assert.deepEqual(last?.problems, []);
  assert.match(last?.notes.join() ?? "", /from Debian 9 \(stretch\) to Debian 10 \(buster\), then Debian 11/);
  assert.equal(await place.inside(name, "ls /var/tmp; ls /var/lib | grep tremplin || true"), "");
});

test("half installed packages are repaired first", async () => {
  const script = `cd /tmp && apt-get -q download tool && dpkg --unpack tool_1_all.deb && rm tool_1_all.deb && dpkg --audit`;
  assert.match(await place.inside(name, script), /not yet configured/);
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.equal(await place.inside(name, "dpkg --audit; cat /usr/share/tool/version"), "2\n");
});

test("the output of a package comes as plain lines, however it is printed", async () => {
  const print = [
    "printf 'one\\rtwo\\033[31mred\\033[0m\\a\\r\\n'",
    "head -c 100000 /dev/zero | tr '\\0' x; echo",
    "printf '\\377\\376\\n' >&2",
    "! (: </dev/tty) 2>/dev/null || echo has a terminal",
    "read answer || echo no input",
    "i=0; while [ $i -lt 450 ]; do echo line $i; i=$((i+1)); done",
  ];
  const scripts = { postinst: print.join("\n") };
  await place.offer({ suite: "buster", packages: [baseFiles("10", "buster"), tool("2", { scripts })] });
  const final = await place.upgrade(name, Version.DEBIAN_BUSTER);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  const lines = place.lines(name);
  for (const line of ["one", "twored", "no input", "line 0", "line 449"])
    assert.ok(lines.includes(line), line);
  assert.ok(!lines.includes("has a terminal"));
  assert.ok(lines.every((line) => !/\p{Cc}/u.test(line) && Buffer.byteLength(line) <= 4096));
  for (const { progressMessages } of place.daemon.listener.messages("upgrade", name)) {
    assert.ok(progressMessages.length <= 100, `${progressMessages.length} lines in a notice`);
  }
  assert.deepEqual(lines, (await place.log(name)).trimEnd().split("\n"));
});

test("an unreachable host delays nothing and misses no line", async () => {
  const reached = place.holding("buster/");
  await place.begin(name, Version.DEBIAN_BUSTER);
  const release = await reached;
  await place.daemon.listener.goAway();
  release();
  const log = () => place.log(name);
  await place.until("the restart, with nobody there to hear of it", async () =>
    /restarting/.test(await log()),
  );
  await place.daemon.listener.reopen();
  const final = await place.daemon.listener.final("upgrade", name);
  assert.equal(final.status, Ended.SUCCEEDED, final.failureReason);
  assert.deepEqual(place.lines(name), (await log()).trimEnd().split("\n"));
});

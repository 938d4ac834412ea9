import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  GetContainerUsernameResponse_Status as Found,
  SetUpUserResponse_Status as SetUp,
} from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { accountContents, accountFiles } from "../support/account-contents.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { createDebian } from "../support/debian-container.ts";
import { engineOf } from "../support/engine-of.ts";
import { eventually } from "../support/eventually.ts";
import { holdAccountLock } from "../support/hold-account-lock.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { nameServer } from "../support/name-server.ts";
import { runInside } from "../support/run-inside.ts";
import { checkSsh } from "../support/ssh-container.ts";
import { writeSite } from "../support/test-site.ts";
import { createTiny, launch, shareTinyImage, startContainer } from "../support/tiny-container.ts";

const TOKEN = "3d3c0b5e-4f1e-4a5c-9f6e-5f6f0a4d7c11";

let place: KeptFolder;
let daemon: TestDaemon;
let engine: Engine;

before(async () => {
  place = await keptFolder();
  daemon = await startDaemon({ site: await writeSite(place.path) });
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

const inside = (container: string, script: string) => runInside(engine, container, script);

async function setUp(containerName: string, containerUsername: string) {
  return await daemon.tremplin.setUpUser({ containerName, containerUsername });
}

const contents = (container: string) => accountContents(engine, container);

test("before the engine runs, requests about containers fail", async () => {
  const { tremplin } = daemon;
  const person = await tremplin.getContainerUsername({ containerName: "deb" });
  assert.equal(person.status, Found.FAILED);
  assert.match(person.failureReason, /LXD not running/);
  const user = await setUp("deb", "ada");
  assert.equal(user.status, SetUp.FAILED);
  assert.match(user.failureReason, /LXD not running/);
  const zone = await tremplin.setTimezone({ timezoneName: "Etc/UTC", containerNames: ["deb", "tiny"] });
  assert.equal(zone.successes, 0);
  assert.match(zone.failureReasons.join(), /^LXD not running[^,]*$/);
  await tremplin.hostNetworkChanged({});
  const { debugInformation } = await tremplin.getDebugInfo({});
  assert.match(debugInformation, /^== daemon\nversion .*site place\n(.*\n)*== engine\nLXD is not running/);
});

test("the engine starts, with a Debian and a tiny container", { timeout: 400_000 }, async () => {
  await launch(daemon);
  engine = await engineOf(daemon);
  await shareTinyImage(daemon);
  await Promise.all([createDebian(daemon, "deb"), createTiny(daemon, "tiny")]);
});

test("the primary user is set up in a stopped container, and a second call writes nothing", async () => {
  const { tremplin } = daemon;
  assert.equal((await tremplin.getContainerUsername({ containerName: "deb" })).status, Found.USER_NOT_FOUND);
  const before = await contents("deb");
  const { status, username, failureReason } = await setUp("deb", "ada");
  assert.equal(status, SetUp.SUCCESS, failureReason);
  assert.equal(username, "ada");

  const done = await contents("deb");
  for (const name of accountFiles) assert.equal(done[`${name}-`], before[name]);
  assert.ok(done.passwd?.startsWith(before.passwd ?? "-"));
  assert.match(done.passwd ?? "", /^ada:x:1000:1000:ada:\/home\/ada:\/bin\/bash$/m);
  assert.match(done.passwd ?? "", /^android-root:x:655360:655360:android-root:\/dev\/null:\/bin\/false$/m);
  assert.match(done.shadow ?? "", /^ada:!:\d+:0:99999:7:::$/m);
  assert.match(done.group ?? "", /^sudo:x:27:ada$/m);
  assert.match(done.gshadow ?? "", /^android-everybody:!::ada$/m);

  // If a file had been written again, its backup would have the same content.
  assert.deepEqual((await setUp("deb", "somebody-else")).username, "ada");
  assert.deepEqual(await contents("deb"), done);
  const {
    status: found,
    username: person,
    homedir,
  } = await tremplin.getContainerUsername({ containerName: "deb" });
  assert.deepEqual([found, person, homedir], [Found.SUCCESS, "ada", "/home/ada"]);
});

test("the container boots with its primary user, its package list and the right modes", async () => {
  {
    // In case that this takes longer than a minute: no key server must be used.
    using files = await engine.fileSession("deb");
    await files.remove("/usr/bin/apt-key");
  }
  await startContainer(daemon, "deb", { token: TOKEN });
  await startContainer(daemon, "tiny");
  assert.equal(
    await inside("deb", "cat /etc/apt/sources.list.d/cros.list"),
    "deb https://storage.googleapis.com/cros-packages/103 bookworm main\n",
  );
  assert.match(
    await inside("deb", "su -l ada -c 'id; pwd; sudo -n true 2>&1 | head -1; cat .bashrc | head -1'"),
    /^uid=1000\(ada\).*27\(sudo\).*\n\/home\/ada\n/,
  );
  const modes =
    "stat -c '%n %a %U:%G' /etc/passwd /etc/passwd- /etc/group /etc/shadow /etc/shadow- /etc/gshadow /home/ada /home/ada/.bashrc /var/lib/systemd/linger/ada";
  assert.deepEqual((await inside("deb", modes)).trim().split("\n"), [
    "/etc/passwd 644 root:root",
    "/etc/passwd- 644 root:root",
    "/etc/group 644 root:root",
    "/etc/shadow 640 root:shadow",
    "/etc/shadow- 640 root:shadow",
    "/etc/gshadow 640 root:shadow",
    "/home/ada 755 ada:ada",
    "/home/ada/.bashrc 644 ada:ada",
    "/var/lib/systemd/linger/ada 644 root:root",
  ]);
  assert.equal(
    await inside("deb", "pwck -r | grep -v 'does not exist'; grpck -r; ls /etc | grep tremplin; true"),
    "pwck: no changes\n",
  );
});

test("in a running container missing parts are repaired, and nothing else changes", async () => {
  await inside(
    "deb",
    "rm -r /home/ada /var/lib/systemd/linger; sed -i /^ada:/d /etc/shadow; gpasswd -d ada video; echo '# kept' >> /etc/passwd",
  );
  const broken = await contents("deb");
  assert.equal((await setUp("deb", "ada")).failureReason, "");
  const repaired = await contents("deb");
  assert.equal(repaired.passwd, broken.passwd);
  assert.equal(repaired.shadow, `${broken.shadow}${/ada:!.*\n/.exec(repaired.shadow ?? "")?.[0]}`);
  assert.match(repaired.group ?? "", /^video:x:44:ada$/m);
  assert.equal(
    await inside(
      "deb",
      "stat -c %U /home/ada/.profile; ls /var/lib/systemd/linger; id -nG ada | tr ' ' '\\n' | grep video",
    ),
    "ada\nada\nvideo\n",
  );
  const stamps =
    "stat -c '%n %i %Z' /etc/passwd* /etc/group* /etc/shadow* /etc/gshadow* /home /home/ada /var/lib/systemd/linger";
  const stamped = await inside("deb", stamps);
  assert.equal((await setUp("deb", "ada")).status, SetUp.SUCCESS);
  assert.equal(await inside("deb", stamps), stamped);
});

test("SetUpUser waits for the lock of the container's own tools, but not for ever", async () => {
  {
    await using _lock = await holdAccountLock(engine, "deb");
    const { status, failureReason } = await setUp("deb", "ada");
    assert.equal(status, SetUp.FAILED);
    assert.match(failureReason, /another program in deb changes its accounts/);
  }
  const lock = await holdAccountLock(engine, "deb");
  const both = [setUp("deb", "ada"), setUp("deb", "ada")];
  const { failureReason } = await Promise.race(both);
  assert.match(failureReason, /^container deb is busy: operation "set-up-user"/);
  await lock[Symbol.asyncDispose]();
  const statuses = (await Promise.all(both)).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [SetUp.SUCCESS, SetUp.FAILED]);
});

test("a container with only busybox is set up too, also without gshadow", async () => {
  await inside("tiny", "rm /etc/gshadow; echo sudo:x:27: >> /etc/group");
  assert.equal((await setUp("tiny", "bob")).failureReason, "");
  const done = await contents("tiny");
  assert.match(done.group ?? "", /^sudo:x:27:bob$/m);
  assert.equal(done.gshadow, "");
  assert.equal(
    await inside("tiny", "stat -c '%U %a' /home/bob /home/bob/.profile; ls /var/lib/systemd/linger"),
    "bob 755\nbob 644\nbob\n",
  );
  assert.equal((await setUp("tiny", "bob")).status, SetUp.SUCCESS);
  assert.deepEqual(await contents("tiny"), done);
  assert.equal((await daemon.tremplin.getContainerUsername({ containerName: "tiny" })).username, "bob");
});

test("existing accounts stay, and failure reasons do not contain the user name", async () => {
  await inside(
    "tiny",
    "echo carol:x:500:500::/nowhere:/bin/sh >> /etc/passwd; sed -i s/^bob:x:1000:/bob:x:1500:/ /etc/passwd",
  );
  const before = await contents("tiny");
  const { status, failureReason, username } = await setUp("tiny", "carol");
  assert.deepEqual([status, username], [SetUp.FAILED, "carol"]);
  assert.match(failureReason, /"\$USERNAME" has the uid 500 in the container/);
  assert.doesNotMatch(failureReason, /carol/);
  assert.deepEqual(await contents("tiny"), before);
  await inside("tiny", "sed -i s/^carol:x:500:/dave:x:1000:/ /etc/passwd");
  assert.equal((await setUp("tiny", "eve")).username, "dave");
  assert.match(await inside("tiny", "stat -c '%n %U' /nowhere/.profile"), /dave/);
});

test("a missing container and a malformed line of the primary user are reported; other lines are not looked at", async () => {
  const { tremplin } = daemon;
  assert.equal(
    (await tremplin.getContainerUsername({ containerName: "nobody" })).status,
    Found.CONTAINER_NOT_FOUND,
  );
  assert.match((await setUp("nobody", "ada")).failureReason, /there is no container nobody/);
  await inside("tiny", "cp /etc/passwd /etc/whole; echo half:a >> /etc/passwd");
  assert.equal((await tremplin.getContainerUsername({ containerName: "tiny" })).username, "dave");
  await inside("tiny", "sed -i 's/^dave:x:1000:.*/dave:x:1000:1000/' /etc/passwd");
  const { status, failureReason } = await tremplin.getContainerUsername({ containerName: "tiny" });
  assert.equal(status, Found.FAILED);
  assert.match(failureReason, /line \d+ of \/etc\/passwd has the uid 1000 but is not valid/);
  const user = await setUp("tiny", "dave");
  assert.deepEqual([user.status, user.username], [SetUp.FAILED, ""]);
  await inside("tiny", "cp /etc/whole /etc/passwd");
});

test("the time zone is set by name if the container knows it, else by its rule", async () => {
  const { tremplin } = daemon;
  const zone = { timezoneName: "Europe/Berlin", posixTzString: "CET-1CEST,M3.5.0,M10.5.0/3" };
  const variable = async () => (await engine.instances.get("tiny")).value.config["environment.TZ"];
  const set = await tremplin.setTimezone({
    ...zone,
    containerNames: ["deb", "tiny", "deb", "nobody", "no/name"],
  });
  assert.equal(set.successes, 2);
  assert.equal(set.failureReasons.length, 3);
  assert.match(
    set.failureReasons.join("\n"),
    /in tiny only programs(.|\n)*time zone of nobody could not be set to Europe\/Berlin: there is no container(.|\n)*no\/name/,
  );
  assert.equal(
    await inside("deb", "readlink -f /etc/localtime; cat /etc/timezone"),
    "/usr/share/zoneinfo/Europe/Berlin\nEurope/Berlin\n",
  );
  assert.equal(await variable(), zone.posixTzString);
  assert.match(await inside("tiny", "date -d 2026-07-01 +%Z"), /CEST/);

  const without = await tremplin.setTimezone({ timezoneName: "Asia/Tokyo", containerNames: ["tiny"] });
  assert.equal(without.successes, 0);
  assert.match(
    without.failureReasons[0] ?? "",
    /tiny could not be set to Asia\/Tokyo: it has no timedatectl; it has no file \/usr\/share\/zoneinfo\/Asia\/Tokyo$/,
  );
  assert.equal(await variable(), zone.posixTzString);

  await inside("tiny", "mkdir -p /usr/share/zoneinfo/Asia; echo TZif > /usr/share/zoneinfo/Asia/Tokyo");
  assert.equal(
    (await tremplin.setTimezone({ timezoneName: "Asia/Tokyo", containerNames: ["tiny"] })).successes,
    1,
  );
  assert.equal(await variable(), undefined);
  assert.equal(
    await inside("tiny", "readlink /etc/localtime; cat /etc/timezone"),
    "/usr/share/zoneinfo/Asia/Tokyo\nAsia/Tokyo\n",
  );
});

test("a former name of a zone sets the one that the container has", async () => {
  const former = "/usr/share/zoneinfo/Asia/Calcutta";
  await inside("deb", `mv ${former} /root/zone`);
  const { tremplin } = daemon;
  const set = await tremplin.setTimezone({ timezoneName: "Asia/Calcutta", containerNames: ["deb"] });
  assert.deepEqual([set.successes, set.failureReasons], [1, []]);
  assert.equal(await inside("deb", "readlink -f /etc/localtime"), "/usr/share/zoneinfo/Asia/Kolkata\n");
  await inside("deb", `mv /root/zone ${former}`);
});

test("malformed zones and rules are refused before anything changes", async () => {
  const before = await inside("deb", "readlink /etc/localtime");
  for (const [timezoneName, posixTzString] of [
    ["../../etc/passwd"],
    ["--help"],
    ["localtime"],
    ["Etc/UTC", "$(reboot)"],
  ]) {
    const request = { timezoneName: timezoneName ?? "", posixTzString: posixTzString ?? "" };
    const answer = await daemon.tremplin.setTimezone({ ...request, containerNames: ["deb", "tiny"] });
    assert.deepEqual([answer.successes, answer.failureReasons.length], [0, 1]);
  }
  assert.equal(await inside("deb", "readlink /etc/localtime"), before);
});

test("ssh reaches the container by its name, with keys that are known, and nothing listens for it", () =>
  checkSsh(daemon, "deb", inside));

test("after a network change names are resolved again, and IPv6 is on", async () => {
  const upstreams = daemon.addressPrefix.replace(/^10/, "127");
  await using _old = await nameServer(`${upstreams}2`, { "both.test": "192.0.2.1" });
  await using _new = await nameServer(`${upstreams}3`, {
    "both.test": "192.0.2.2",
    "late.test": "192.0.2.3",
  });
  const resolvedBy = async (upstream: string) => {
    await writeFile(join(place.path, "resolv.new"), `nameserver ${upstream}\n`);
    await rename(join(place.path, "resolv.new"), join(place.path, "resolv.conf"));
  };
  const address = async (name: string) =>
    (await inside("deb", `getent ahostsv4 ${name} | sed -n '1s/ .*//p'`)).trim();
  await resolvedBy(`${upstreams}2`);
  const resolves = (name: string, wanted: string, limit?: number) =>
    eventually(`${name} as ${wanted}`, async () => (await address(name)) === wanted || undefined, limit);
  const hasIpv6 = () =>
    eventually("IPv6", async () => /fd42/.exec(await inside("deb", "ip -6 address show dev eth0"))?.[0]);
  await resolves("both.test", "192.0.2.1");
  assert.equal(await address("late.test"), "");
  await hasIpv6();

  await resolvedBy(`${upstreams}3`);
  await daemon.tremplin.hostNetworkChanged({});
  await resolves("late.test", "192.0.2.3", 5_000);
  await resolves("both.test", "192.0.2.2", 1_000);
  assert.equal(await inside("deb", "sysctl -n net.ipv6.conf.eth0.disable_ipv6"), "0\n");
  await hasIpv6();
  assert.match(await inside("deb", "ip -4 address show dev eth0"), new RegExp(daemon.addressPrefix));
});

test("debug information covers daemon, engine and every container, without secrets", async () => {
  // A log with a token in it, and with more than there is room for.
  const log = join(daemon.folder, "state/lxd/logs/tiny/lxc.log");
  await writeFile(
    log,
    `${`lxc tiny TRACE the token is ${TOKEN}\n`.repeat(40_000)}lxc tiny ERROR secret=hidden\nthe end\n`,
  );
  const { debugInformation: text } = await daemon.tremplin.getDebugInfo({});
  assert.ok(Buffer.byteLength(text) <= 1024 * 1024);
  assert.match(text, /^== daemon\nversion .*\n(.*\n)*nothing is under way\n0 notices wait/);
  assert.match(text, /^== engine\nrunning: (lxd|incus) /m);
  assert.match(
    text,
    /^== log of the engine, .*\n(.*\n)*== container deb\nRunning, (.*\n)*== container tiny\nRunning, /m,
  );
  assert.match(text, /lxc tiny TRACE the token is \[masked\]\nlxc tiny ERROR secret=\[masked\]\nthe end\n/);
  assert.ok(!text.includes(TOKEN));
});

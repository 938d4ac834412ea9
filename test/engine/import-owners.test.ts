import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { exportContainer } from "../support/export-container.ts";
import { inContainer } from "../support/in-container.ts";
import { execute } from "../support/system-state.ts";
import { imported, shareBackup } from "../support/tiny-backup.ts";
import { launchedDaemon, startContainer } from "../support/tiny-container.ts";

/** Everything that a backup can hold. */
const NASTY = `
mkdir -p srv/deep srv/empty && cd srv
echo text > plain && chown 1000:42 plain && chmod 0640 plain
echo high > high && chown 655360:665357 high
cp /bin/true setuid && chmod 4755 setuid
cp /bin/true capable && setcap cap_net_raw+ep capable
echo noted > noted && setfattr -n user.note -v kept noted
echo shared > acl && setfacl -m u:1000:rw,g:42:r acl
setfacl -d -m u:1000:rwx deep && chown 33:33 deep && chmod 2775 deep
truncate -s 50M hole && printf end >> hole
mkfifo pipe && touch -d 2040-01-01 future
mkdir chroot && mknod chroot/tty c 5 0 && chown 7:5 chroot/tty && chmod 1620 chroot/tty
touch -d '2001-02-03 04:05:06' chroot/tty chroot
ln -s /nowhere/at/all dangling && ln -s ../../../../etc/passwd out && chown -h 1000:1000 out
touch "$(printf 'odd \\377\\nname')" && touch ${"n".repeat(250)}
`;

let daemon: TestDaemon;

before(async () => {
  daemon = await launchedDaemon();
  await shareBackup(daemon, "nasty.tini", { script: NASTY, files: { "srv/one": "linked" } });
});
after(() => daemon[Symbol.asyncDispose]());

/** All that an archive says of what is below rootfs/srv, in an order of its own. */
async function listing(file: string): Promise<string[]> {
  const options = ["--numeric-owner", "--full-time", "--xattrs", "--xattrs-include=*", "--acls"];
  const { stdout } = await execute("tar", [
    "-tvvv",
    ...options,
    "-f",
    join(daemon.shared, file),
    "rootfs/srv",
  ]);
  // The names of attributes follow their file on lines that begin with two spaces.
  return stdout.split(/\n(?! )/).sort();
}

test("an imported container is equal to the backup, to the last owner, attribute and second", async () => {
  await imported(daemon, "nasty", "nasty.tini");
  await exportContainer(daemon, "nasty", "again.tini");
  const before = await listing("nasty.tini");
  assert.deepEqual(await listing("again.tini"), before);
  const text = before.join("\n");
  for (const expected of [
    "security.capability",
    "user.note",
    "user::rw-,user:",
    "default:user:",
    "655360/665357",
    "-rwsr-xr-x",
    "crw--w---T",
  ]) {
    assert.ok(text.includes(expected), `${expected} is not in the backup at all:\n${text}`);
  }
});

test("an imported container has shifted ids: the first start needs no id shift", async () => {
  await using engine = await engineOf(daemon);
  const { config } = (await engine.instances.get("nasty")).value;
  assert.ok(config["volatile.idmap.next"]?.includes("Hostid"));
  assert.equal(config["volatile.last_state.idmap"], config["volatile.idmap.next"]);
  assert.equal(config["image.os"], "tiny");
  await startContainer(daemon, "nasty");
  const look = "cd /srv && stat -c %u:%g plain high out && cat plain";
  assert.equal(
    await inContainer(daemon, "nasty", "sh", "-c", look),
    "1000:42\n655360:665357\n1000:1000\ntext",
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type AccountContents, AccountDatabase } from "./account-database.ts";
import { bytesOf, textOf } from "./lossless-text.ts";

type Files = Record<keyof AccountContents, string>;

const debian: Files = {
  passwd: `root:x:0:0:root:/root:/bin/bash
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
android-root:x:655360:655360::/dev/null:/bin/false
`,
  group: `root:x:0:
sudo:x:27:
audio:x:29:pulse
backup:x:34:
shadow:x:42:
nogroup:x:65534:
testuser:x:1000:
android-root:x:655360:
`,
  shadow: `root:*:17756:0:99999:7:::
backup:*:17756:0:99999:7:::
nobody:*:17756:0:99999:7:::
android-root:!:17756:0:99999:7:::
`,
  gshadow: `root:*::
sudo:*::
audio:*::pulse
backup:*::
shadow:*::
nogroup:*::
testuser:!::
android-root:!::
`,
};

const day = 20_000;

function load(files: Partial<Files> = {}, now = day * 86_400_000 + 1): AccountDatabase {
  const all = { ...debian, ...files };
  const [passwd, group, shadow, gshadow] = [all.passwd, all.group, all.shadow, all.gshadow].map(bytesOf);
  assert.ok(passwd && group && shadow && gshadow);
  return new AccountDatabase({ passwd, group, shadow, gshadow }, now);
}

/** The files as they are after the changes were written. */
function saved(database: AccountDatabase, files: Partial<Files> = {}): Files {
  const after = { ...debian, ...files };
  for (const change of database.changes()) after[change.path.slice(5) as keyof Files] = textOf(change.after);
  return after;
}

function added(database: AccountDatabase): Files {
  const after = saved(database);
  return Object.fromEntries(
    (Object.keys(debian) as (keyof Files)[]).map((file) => {
      assert.ok(after[file].startsWith(debian[file]), file);
      return [file, after[file].slice(debian[file].length)];
    }),
  ) as Files;
}

test("a person is added to the end of all four files", () => {
  const database = load();
  const user = database.ensureUser({ name: "alice", uid: 1234, login: true });
  database.ensureGroup("alice", 1234);
  assert.equal(user.home, "/home/alice");
  assert.deepEqual(added(database), {
    passwd: "alice:x:1234:1234:alice:/home/alice:/bin/bash\n",
    shadow: "alice:!:20000:0:99999:7:::\n",
    group: "alice:x:1234:\n",
    gshadow: "alice:!::\n",
  });
});

test("who does not log in has neither home nor shell", () => {
  const database = load();
  database.ensureUser({ name: "chronos-access", uid: 1001, login: false });
  assert.equal(added(database).passwd, "chronos-access:x:1001:1001:chronos-access:/dev/null:/bin/false\n");
});

test("a user of the same name and one of the same id are replaced", () => {
  const database = load();
  for (const [name, uid] of [
    ["alice", 1234],
    ["bob", 4567],
    ["bob", 1234],
  ] as const) {
    database.ensureUser({ name, uid, login: false });
    database.ensureGroup(name, uid);
  }
  assert.deepEqual(added(database), {
    passwd: "bob:x:1234:1234:bob:/dev/null:/bin/false\n",
    shadow: "bob:!:20000:0:99999:7:::\n",
    group: "bob:x:1234:\n",
    gshadow: "bob:!::\n",
  });
});

test("a user whose name another line still has keeps its shadow line", () => {
  const files = {
    passwd: `${debian.passwd}eve:x:1500:1500::/:/bin/sh\neve:x:1501:1501::/:/bin/sh\n`,
    shadow: `${debian.shadow}eve:secret:1::::::\n`,
  };
  const database = load(files);
  database.ensureUser({ name: "alice", uid: 1500, login: true });
  const { passwd, shadow } = saved(database, files);
  assert.match(passwd, /^eve:x:1501/m);
  assert.doesNotMatch(passwd, /^eve:x:1500/m);
  assert.match(shadow, /^eve:secret/m);
});

test("a left-over shadow line of the name is not trusted", () => {
  const files = { shadow: `${debian.shadow}alice:knownhash:1::::::\n` };
  const database = load(files);
  database.ensureUser({ name: "alice", uid: 1000, login: true });
  assert.equal(saved(database, files).shadow, `${debian.shadow}alice:!:20000:0:99999:7:::\n`);
});

test("what is there already is not written", () => {
  const database = load();
  assert.equal(database.ensureUser({ name: "android-root", uid: 655360, login: false }).home, "/dev/null");
  database.ensureGroup("android-root", 655360);
  database.ensureGroup("testuser", 1000);
  assert.equal(database.ensureMember("pulse", "audio"), true);
  assert.deepEqual(database.changes(), []);
});

test("an existing person keeps home, shell and comment", () => {
  const files = {
    passwd: `${debian.passwd}ubuntu:x:1000:1000:Ubuntu:/srv/u:/bin/zsh\n`,
    shadow: `${debian.shadow}ubuntu:$y$h:1::::::\n`,
  };
  const database = load(files);
  assert.equal(database.userOf(1000)?.name, "ubuntu");
  assert.equal(database.ensureUser({ name: "ubuntu", uid: 1000, login: true }).home, "/srv/u");
  assert.deepEqual(database.changes(), []);
});

test("nobody has a uid that is not there, and the first one counts", () => {
  assert.equal(load().userOf(1000), undefined);
  assert.equal(load({ passwd: `${debian.passwd}a:x:1000:1:::\nb:x:1000:1:::` }).userOf(1000)?.name, "a");
});

test("a missing shadow line, gshadow entry and membership are repaired", () => {
  const files = {
    passwd: `${debian.passwd}alice:x:1000:1000::/home/alice:/bin/bash\n`,
    group: debian.group.replace("sudo:x:27:", "sudo:x:27:alice,bob").replace("testuser:", "alice:"),
    gshadow: debian.gshadow.replace("sudo:*::\n", "").replace("testuser:!::\n", ""),
  };
  const database = load(files);
  database.ensureUser({ name: "alice", uid: 1000, login: true });
  database.ensureGroup("alice", 1000);
  for (const group of ["sudo", "audio"]) assert.equal(database.ensureMember("alice", group), true);
  const after = saved(database, files);
  assert.equal(after.passwd, files.passwd);
  assert.equal(after.shadow, `${debian.shadow}alice:!:20000:0:99999:7:::\n`);
  assert.equal(after.group, files.group.replace("29:pulse", "29:pulse,alice"));
  const audio = files.gshadow.replace("audio:*::pulse", "audio:*::pulse,alice");
  assert.equal(after.gshadow, `${audio}alice:!::\nsudo:!::alice,bob\n`);
});

test("a membership that only group knows is added to gshadow alone", () => {
  const files = { group: debian.group.replace("sudo:x:27:", "sudo:x:27:alice") };
  const database = load(files);
  database.ensureMember("alice", "sudo");
  assert.deepEqual(
    database.changes().map(({ path }) => path),
    ["/etc/gshadow"],
  );
});

test("nobody becomes a member of a group that is not there", () => {
  const database = load();
  assert.equal(database.ensureMember("alice", "kvm"), false);
  assert.deepEqual(database.changes(), []);
});

for (const [name, uid] of [
  ["backup", 1000],
  ["alice", 34],
  ["alice", 0],
  ["root", 1000],
  ["nobody", 1000],
  ["alice", 655360],
] as const) {
  test(`${name} with id ${uid} does not replace an account of the system`, () => {
    const database = load();
    const refusal = { name: "TremplinError", code: "exists" };
    assert.throws(() => database.ensureUser({ name, uid, login: true }), refusal);
    if (name !== "nobody") assert.throws(() => database.ensureGroup(name, uid), refusal);
    assert.deepEqual(database.changes(), []);
  });
}

test("a site's own user is replaced when its id is another one", () => {
  const database = load();
  database.ensureUser({ name: "android-root", uid: 655361, login: false });
  assert.doesNotMatch(saved(database).passwd, /:655360:/);
});

test("passwd is open, shadow belongs to the group shadow", () => {
  const database = load();
  database.ensureUser({ name: "alice", uid: 1000, login: true });
  database.ensureGroup("alice", 1000);
  assert.deepEqual(
    database.changes().map(({ path, mode, gid, before }) => [path, mode.toString(8), gid, textOf(before)]),
    [
      ["/etc/passwd", "644", 0, debian.passwd],
      ["/etc/group", "644", 0, debian.group],
      ["/etc/shadow", "640", 42, debian.shadow],
      ["/etc/gshadow", "640", 42, debian.gshadow],
    ],
  );
});

test("without a group shadow it belongs to root", () => {
  const database = load({ group: "root:x:0:\n" });
  database.ensureUser({ name: "alice", uid: 1000, login: true });
  assert.equal(database.changes().find(({ path }) => path === "/etc/shadow")?.gid, 0);
});

for (const passwd of ["", "\n", "alice:x:1000:1000:::\n", "# root\n+root::::::\n"]) {
  test(`a passwd of ${JSON.stringify(passwd)} is a bad read, since root is missing`, () => {
    assert.throws(() => load({ passwd }), /has no root/);
  });
}

test("a second time changes nothing, and all that was not replaced stays, whatever is in the files", () => {
  const name = fc.constantFrom("alice", "bob", "eve", "audio", "chronos-access");
  const uid = fc.constantFrom(1000, 1001, 1234, 655360);
  const line = fc.constantFrom("# note", "", "+::::::", "+:::", "\t");
  const user = fc.tuple(name, uid).map(([who, id]) => `${who}:x:${id}:${id}:G\xe9cos:/home:/bin/sh`);
  const secret = name.map((who) => `${who}:!:1::::::`);
  const team = fc
    .tuple(name, uid, fc.array(name))
    .map(([which, id, all]) => `${which}:x:${id}:${all.join(",")}`);
  const secretTeam = fc.tuple(name, fc.array(name)).map(([which, all]) => `${which}:!::${all.join(",")}`);
  const fileOf = (entry: fc.Arbitrary<string>) =>
    fc.array(fc.oneof(entry, line)).map((all) => all.join("\n"));
  const files = fc.record({
    passwd: fileOf(user).map((text) => `root:x:0:0:::\n${text}`),
    shadow: fileOf(secret),
    group: fileOf(team),
    gshadow: fileOf(secretTeam),
  });
  const wanted = fc.record({ name: fc.constantFrom("alice", "chronos-access"), uid, login: fc.boolean() });
  fc.assert(
    fc.property(files, wanted, name, (before, who, member) => {
      const apply = (database: AccountDatabase) => {
        database.ensureUser(who);
        database.ensureGroup(who.name, who.uid);
        assert.equal(database.ensureMember(member, who.name), true);
      };
      const first = load(before);
      try {
        apply(first);
      } catch (error) {
        assert.ok(error instanceof TremplinError && error.code === "exists", String(error));
        return;
      }
      const after = saved(first, before);
      const second = load(after, 0);
      apply(second);
      assert.deepEqual(second.changes(), []);
      const lines = new Set(after.passwd.split("\n"));
      for (const kept of before.passwd.split("\n")) {
        const [known, , id] = kept.split(":");
        assert.ok(lines.has(kept) || known === who.name || id === String(who.uid), kept);
      }
    }),
  );
});

test("a system without gshadow gets none", () => {
  const contents = Object.fromEntries(
    Object.entries(debian).map(([name, text]) => [name, bytesOf(text)]),
  ) as Record<keyof AccountContents, Uint8Array>;
  const database = new AccountDatabase({ ...contents, gshadow: undefined }, 0);
  database.ensureUser({ name: "ada", uid: 2000, login: true });
  database.ensureGroup("ada", 2000);
  database.ensureMember("ada", "audio");
  assert.deepEqual(
    database.changes().map(({ path }) => path),
    ["/etc/passwd", "/etc/group", "/etc/shadow"],
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccountContents, AccountDatabase } from "./account-database.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

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
  const [passwd, group, shadow, gshadow] = [all.passwd, all.group, all.shadow, all.gshadow].map(encodeLatin1);
  assert.ok(passwd && group && shadow && gshadow);
  return new AccountDatabase({ passwd, group, shadow, gshadow }, now);
}

/** The files as they are after the changes were written. */
function saved(database: AccountDatabase, files: Partial<Files> = {}): Files {
  const after = { ...debian, ...files };
  for (const change of database.changes())
    after[change.path.slice(5) as keyof Files] = decodeLatin1(change.after);
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

const alice = {
  name: "alice",
  uid: 1234,
  gid: 1234,
  gecos: "alice",
  home: "/home/alice",
  shell: "/bin/bash",
};

test("a user and a group are added to the end of all four files", () => {
  const database = load();
  database.addUser(alice);
  database.addGroup("alice", 1234);
  assert.deepEqual(added(database), {
    passwd: "alice:x:1234:1234:alice:/home/alice:/bin/bash\n",
    shadow: "alice:!:20000:0:99999:7:::\n",
    group: "alice:x:1234:\n",
    gshadow: "alice:!::\n",
  });
});

test("an orphaned shadow line of the name stays, and its password does not open the account", () => {
  const files = { shadow: `${debian.shadow}alice:knownhash:1::::::\n` };
  const database = load(files);
  database.addUser(alice);
  const after = saved(database, files);
  assert.equal(after.shadow, files.shadow);
  assert.match(after.passwd, /^alice:!:1234:/m);
  const again = load(after);
  again.completeUser(again.userByName("alice") ?? assert.fail());
  assert.deepEqual(again.changes(), []);
});

test("a gid is taken by a group, or by a user whose group has no name", () => {
  const files = { passwd: `${debian.passwd}bob:x:1001:1002:::\n` };
  const database = load(files);
  const isFree = (gid: number, user?: string) => database.isFreeGid(gid, user);
  assert.deepEqual(
    [1000, 1001, 1002, 655360].map((gid) => isFree(gid)),
    [false, true, false, false],
  );
  assert.deepEqual(
    [isFree(1002, "bob"), isFree(1002, "eve"), isFree(1000, "testuser")],
    [true, false, false],
  );
});

test("a group name is free unless an orphaned gshadow line has members or a password", () => {
  const gshadow = `${debian.gshadow}old:!::\nopen:$6$::\nled:!:bob:\nfull:*::bob\n`;
  const database = load({ gshadow });
  const names = ["new", "old", "open", "led", "full", "sudo"].filter((name) =>
    database.isFreeGroupName(name),
  );
  assert.deepEqual(names, ["new", "old"]);
  database.addGroup("old", 1500);
  assert.equal(saved(database, { gshadow }).gshadow, gshadow);
});

test("a free id belongs to no user or group and is not reserved", () => {
  const passwd = `${debian.passwd}bob:x:1001:1002:::\n`;
  assert.equal(load({ passwd }).freeId(new Set([1003, 1005])), 1004);
  const full = Array.from({ length: 59_000 }, (_, index) => `g${index}:x:${index + 1000}:\n`).join("");
  assert.throws(() => load({ group: full }).freeId(new Set()), /every id from 1000 to 59999 is taken/);
});

test("a uid is looked up in the first line that has it", () => {
  assert.equal(load().userByUid(1000), undefined);
  assert.equal(load({ passwd: `${debian.passwd}a:x:1000:1:::\nb:x:1000:1:::` }).userByUid(1000)?.name, "a");
});

test("a missing shadow line, gshadow entry and membership are added", () => {
  const files = {
    passwd: `${debian.passwd}alice:x:1000:1000::/home/alice:/bin/bash\n`,
    group: debian.group.replace("sudo:x:27:", "sudo:x:27:alice,bob").replace("testuser:", "alice:"),
    gshadow: debian.gshadow.replace("sudo:*::\n", "").replace("testuser:!::\n", ""),
  };
  const database = load(files);
  database.completeUser(database.userByUid(1000) ?? assert.fail());
  database.completeGroup(database.groupByGid(1000) ?? assert.fail());
  for (const group of ["sudo", "audio"]) assert.equal(database.ensureMember("alice", group), true);
  const after = saved(database, files);
  assert.equal(after.passwd, files.passwd);
  assert.equal(after.shadow, `${debian.shadow}alice:!:20000:0:99999:7:::\n`);
  assert.equal(after.group, files.group.replace("29:pulse", "29:pulse,alice"));
  const audio = files.gshadow.replace("audio:*::pulse", "audio:*::pulse,alice");
  assert.equal(after.gshadow, `${audio}alice:!::\nsudo:!::alice,bob\n`);
});

test("a password in passwd or group itself is not replaced by one in shadow or gshadow", () => {
  const files = {
    passwd: `${debian.passwd}alice:$6$hash:1000:1000::/home/alice:/bin/bash\n`,
    group: debian.group.replace("testuser:x:", "team:$6$hash:"),
  };
  const database = load(files);
  database.completeUser(database.userByUid(1000) ?? assert.fail());
  database.ensureMember("alice", "team");
  const after = saved(database, files);
  assert.deepEqual([after.shadow, after.gshadow], [debian.shadow, debian.gshadow]);
  assert.match(after.group, /^team:\$6\$hash:1000:alice$/m);
});

test("a membership that only group has is added to gshadow alone", () => {
  const files = { group: debian.group.replace("sudo:x:27:", "sudo:x:27:alice") };
  const database = load(files);
  database.ensureMember("alice", "sudo");
  assert.deepEqual(
    database.changes().map(({ path }) => path),
    ["/etc/gshadow"],
  );
});

test("a membership of a missing group is not added", () => {
  const database = load();
  assert.equal(database.ensureMember("alice", "kvm"), false);
  assert.deepEqual(database.changes(), []);
});

test("the files to write come with their former content, in a fixed order", () => {
  const database = load();
  database.addUser(alice);
  database.addGroup("alice", 1234);
  assert.deepEqual(
    database.changes().map(({ path, before }) => [path, decodeLatin1(before ?? assert.fail())]),
    [
      ["/etc/passwd", debian.passwd],
      ["/etc/group", debian.group],
      ["/etc/shadow", debian.shadow],
      ["/etc/gshadow", debian.gshadow],
    ],
  );
});

for (const passwd of ["", "\n", "alice:x:1000:1000:::\n", "# root\n+root::::::\n"]) {
  test(`a passwd of ${JSON.stringify(passwd)} without root is refused as incomplete`, () => {
    assert.throws(() => load({ passwd }), /has no root/);
  });
}

/** Adds alice to a system that lacks some of the files. */
function changedWithout(...missing: (keyof Files)[]) {
  const contents = Object.fromEntries(
    Object.entries(debian).map(([name, text]) => [
      name,
      missing.includes(name as keyof Files) ? undefined : encodeLatin1(text),
    ]),
  ) as Record<keyof AccountContents, Uint8Array>;
  const database = new AccountDatabase(contents, 0);
  database.addUser(alice);
  database.addGroup("alice", 1234);
  database.ensureMember("alice", "audio");
  return database.changes();
}

test("a system without gshadow or shadow does not get one, and the password is locked in passwd", () => {
  const paths = (changes: readonly { readonly path: string }[]) => changes.map(({ path }) => path);
  assert.deepEqual(paths(changedWithout("gshadow")), ["/etc/passwd", "/etc/group", "/etc/shadow"]);
  const changes = changedWithout("gshadow", "shadow");
  assert.deepEqual(paths(changes), ["/etc/passwd", "/etc/group"]);
  assert.match(decodeLatin1(changes[0]?.after ?? assert.fail()), /^alice:!:1234:/m);
});

test("a system without group gets one with the new groups", () => {
  const group = changedWithout("group").find(({ path }) => path === "/etc/group") ?? assert.fail();
  assert.deepEqual([group.before, decodeLatin1(group.after)], [undefined, "alice:x:1234:\n"]);
});

test("what a line names that is not valid is taken", () => {
  const files = {
    passwd: `${debian.passwd}bob:x:1001:1002:Bob:/home/bob\neve:x:1003:1003:::/bin/sh:\nroot:x:-1:0:::\n`,
    group: `${debian.group}team:x:1004:a:b\nclub:x:-1:\n`,
    gshadow: `${debian.gshadow}old:!:\n`,
  };
  const database = load(files);
  assert.equal(database.freeId(new Set()), 1005);
  assert.deepEqual(
    [1001, 1002, 1003, 1004].map((gid) => database.isFreeGid(gid)),
    [true, false, false, false],
  );
  assert.deepEqual(
    ["team", "club", "old", "new"].map((name) => database.isFreeGroupName(name)),
    [false, false, false, true],
  );
  assert.equal(database.groupByGid(1004), undefined);
  assert.equal(database.ensureMember("bob", "club"), false);
  assert.deepEqual(database.changes(), []);
  assert.deepEqual(database.problems, [
    "line 5 of /etc/passwd: it has 6 fields instead of 7 (name:password:uid:gid:comment:home:shell)",
    "line 6 of /etc/passwd: it has 8 fields instead of 7 (name:password:uid:gid:comment:home:shell)",
    "line 7 of /etc/passwd: the uid is not a number from 0 to 4294967295",
    "line 9 of /etc/group: it has 5 fields instead of 4 (name:password:gid:members)",
    "line 10 of /etc/group: the gid is not a number from 0 to 4294967295",
    "line 9 of /etc/gshadow: it has 3 fields instead of 4 (name:password:administrators:members)",
  ]);
});

test("the line that is looked for is named with what is wrong with it, and never with a password", () => {
  const passwd = `${debian.passwd}bob:$6$secret:1000:1000:Bob:/home/bob\nbob:x:1000:1000:::/bin/sh\n`;
  const database = load({ passwd, group: `${debian.group}team:$6$secret:-1:\n` });
  const fields = "it has 6 fields instead of 7 (name:password:uid:gid:comment:home:shell)";
  const about = (line: string, why: string) => ({
    code: "failed",
    message: `${line} but is not valid: ${why}; correct it in the container`,
  });
  assert.throws(() => database.userByUid(1000), about("line 5 of /etc/passwd has the uid 1000", fields));
  assert.throws(() => database.userByName("bob"), about('line 5 of /etc/passwd has the name "bob"', fields));
  assert.throws(
    () => database.groupByName("team"),
    about('line 9 of /etc/group has the name "team"', "the gid is not a number from 0 to 4294967295"),
  );
});

for (const [title, passwd] of [
  ["in a line that is not valid", "root:x:0:0:root:/root\n"],
  ["under another name", "admin:x:0:0:root:/root:/bin/sh\n"],
] as const) {
  test(`root may be there ${title}`, () => assert.equal(load({ passwd }).userByUid(1000), undefined));
}

for (const [before, after] of [
  ["", "alice"],
  ["bob", "bob,alice"],
  ["bob,", "bob,alice"],
  [",bob", ",bob,alice"],
  [",", ",alice"],
  ["bob,,eve", "bob,,eve,alice"],
  ["bob\r", "bob\r,alice"],
  ["\r", "alice"],
  ["bob, \r", "bob,alice"],
  ["alice\r", "alice\r,alice"],
  ["bob, alice", "bob, alice"],
] as const) {
  test(`a member joins ${JSON.stringify(before)} so that the C library finds both`, () => {
    const group = `${debian.group}team:x:050:${before}\n`;
    const database = load({ group });
    assert.equal(database.ensureMember("alice", "team"), true);
    assert.equal(saved(database, { group }).group, `${debian.group}team:x:050:${after}\n`);
  });
}

test("a group without the field for members gets it", () => {
  const group = "sudo:x:27\nroot:x:0:\n";
  const database = load({ group });
  database.ensureMember("alice", "sudo");
  assert.equal(saved(database, { group }).group, "sudo:x:27:alice\nroot:x:0:\n");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TremplinError } from "../../base/tremplin-error.ts";
import { crostini } from "../sites/crostini.ts";
import { generic } from "../sites/generic.ts";
import { AccountDatabase } from "./account-database.ts";
import { addAccounts } from "./add-accounts.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";

type Name = "passwd" | "group" | "shadow" | "gshadow";
type Files = Readonly<Record<Name, string>>;
const names: readonly Name[] = ["passwd", "group", "shadow", "gshadow"];

function load(files: Files): AccountDatabase {
  const [passwd, group, shadow, gshadow] = names.map((name) => encodeLatin1(files[name]));
  assert.ok(passwd && group && shadow && gshadow);
  return new AccountDatabase({ passwd, group, shadow, gshadow }, 0);
}

/** The files after the first `count` changes were written. */
function saved(database: AccountDatabase, before: Files, count = names.length): Files {
  const written = database.changes().slice(0, count);
  return {
    ...before,
    ...Object.fromEntries(written.map(({ path, after }) => [path.slice(5), decodeLatin1(after)])),
  };
}

const anna = { name: "anna", shell: "/bin/bash" };

const base: Files = {
  passwd: "root:x:0:0:root:/root:/bin/sh\n",
  group: "root:x:0:\nsudo:x:27:\n",
  shadow: "root:*:19000:0:99999:7:::\n",
  gshadow: "root:*::\nsudo:*::\n",
};

function withLines(lines: Partial<Record<Name, string>>): Files {
  return Object.fromEntries(names.map((name) => [name, base[name] + (lines[name] ?? "")])) as Files;
}

test("on a fresh system the primary user gets uid and gid 1000, and the helpers get the site's ids", () => {
  const database = load(base);
  const { isNew, reassignedHelpers } = addAccounts(database, anna, crostini.users);
  assert.deepEqual([isNew, reassignedHelpers], [true, []]);
  const after = saved(database, base);
  assert.deepEqual(after.passwd.split("\n").slice(1), [
    "anna:x:1000:1000:anna:/home/anna:/bin/bash",
    "chronos-access:x:1001:1001:chronos-access:/dev/null:/bin/false",
    "android-everybody:x:665357:665357:android-everybody:/dev/null:/bin/false",
    "android-root:x:655360:655360:android-root:/dev/null:/bin/false",
    "",
  ]);
  assert.deepEqual(after.group.split("\n").slice(1), [
    "sudo:x:27:anna",
    "anna:x:1000:",
    "chronos-access:x:1001:anna",
    "android-everybody:x:665357:anna",
    "android-root:x:655360:",
    "",
  ]);
});

test("a group with the name and gid 1000 becomes the primary group", () => {
  const files = withLines({ group: "anna:x:1000:bob\n" });
  const { primaryUser } = addAccounts(load(files), anna, generic.users);
  assert.equal(primaryUser.gid, 1000);
});

test("a group name that is taken gets a number, even if it has the maximum length", () => {
  const name = "a".repeat(32);
  const short = "a".repeat(27);
  const files = withLines({ group: `${name}:x:1500:bob\n${short}-1000:x:1501:\n` });
  const database = load(files);
  addAccounts(database, { ...anna, name }, generic.users);
  assert.equal(saved(database, files).group.split("\n").at(-2), `${short}-1001:x:1000:`);
});

test("the gid of the primary user gets a name only if no other user has it", () => {
  const line = "anna:x:1000:1000::/home/anna:/bin/sh\n";
  const groupOf = (passwd: string) => {
    const files = withLines({ passwd });
    const database = load(files);
    addAccounts(database, anna, generic.users);
    return saved(database, files).group.slice(files.group.length + "anna".length);
  };
  assert.equal(groupOf(line), "anna:x:1000:\n");
  assert.equal(groupOf(`${line}bob:x:1001:1000:::\n`), "");
});

test("a missing required group fails before anything is written", () => {
  const users = { ...generic.users, requiredGroups: ["office"] };
  assert.throws(() => addAccounts(load(base), anna, users), /has no group office/);
});

/** The groups that the primary user joins when the container has these, besides its own. */
function joinedOf(groups: string, users = generic.users): string[] {
  const files = { ...base, group: `root:x:0:\n${groups}`, gshadow: "" };
  const database = load(files);
  addAccounts(database, anna, users);
  const joined = [...saved(database, files).group.matchAll(/^(\w+):x:\d+:(?:.*,)?anna$/gm)];
  return joined.map(([, name = ""]) => name);
}

test("the primary user joins wheel where there is no sudo, if the site wants sudo", () => {
  assert.deepEqual(joinedOf("sudo:x:27:\nwheel:x:10:\n"), ["sudo"]);
  assert.deepEqual(joinedOf("wheel:x:10:root\naudio:x:29:\n"), ["wheel", "audio"]);
  assert.deepEqual(joinedOf("sudo:x:-1:\nwheel:x:10:\n"), ["wheel"]);
  assert.deepEqual(joinedOf("wheel:x:10:\n", { ...generic.users, optionalGroups: ["audio"] }), []);
});

test("lines of others that are not valid hinder nothing, and groups with odd lists of members are joined", () => {
  const files = withLines({
    passwd: "bob:x:1001:1001:Bob:/home/bob\neve:x:-1:5:::\n",
    group: "audio:x:29:pulse,\nvideo:x:44:,eve\nusers:x:100\nteam:x:5:a:b\n",
    shadow: "bob:*:19000:0:99999\neve:*:-1::::::x:y\n",
    gshadow: "audio:*:\nteam\n",
  });
  const database = load(files);
  addAccounts(database, anna, generic.users);
  const after = saved(database, files);
  const kept = "audio:x:29:pulse,anna\nvideo:x:44:,eve,anna\nusers:x:100:anna\nteam:x:5:a:b\n";
  assert.equal(after.group, `root:x:0:\nsudo:x:27:anna\n${kept}anna:x:1000:\n`);
  for (const name of ["passwd", "shadow"] as const) assert.ok(after[name].startsWith(files[name]), name);
  assert.match(after.gshadow, /^audio:\*:\nteam\n/m);
});

for (const [title, lines, why] of [
  [
    "the uid 1000",
    { passwd: "bob:x:1000:1000:Bob:/home/bob\n" },
    /^line 2 of \/etc\/passwd has the uid 1000/,
  ],
  [
    "the wanted name",
    { passwd: "anna:x:1001:1001:::/bin/sh:\n" },
    /^line 2 of \/etc\/passwd has the name "anna"/,
  ],
  ["a required group", { group: "team:x:-1:\n" }, /^line 3 of \/etc\/group has the name "team" .*the gid/],
] as const) {
  test(`a line with ${title} that is not valid is named`, () => {
    const users = { ...generic.users, requiredGroups: ["team"] };
    assert.throws(() => addAccounts(load(withLines(lines)), anna, users), { code: "failed", message: why });
  });
}

test("a line that is not valid takes the id of a helper, and the home of a new user", () => {
  const files = withLines({ passwd: "bob:x:1001:1001:Bob:/home/bob\n", group: "crowd:x:655360:a:b\n" });
  const { reassignedHelpers } = addAccounts(load(files), anna, crostini.users);
  assert.deepEqual(reassignedHelpers, ["chronos-access", "android-root"]);
  const home = withLines({ passwd: "bob:x:-1:1001:Bob:/home/anna/\n" });
  assert.throws(() => addAccounts(load(home), anna, generic.users), /is the home of another account/);
});

for (const title of ["as on crostini", "with the id of the primary user"]) {
  test(`reassigned helpers keep their ids at the next call, ${title}`, () => {
    const helpers = title.includes("crostini") ? crostini.users.helpers : [{ name: "helper", id: 1000 }];
    const files = withLines({ passwd: "bob:x:1001:1001:::\n", group: "bob:x:1001:\ncrowd:x:655360:bob\n" });
    const database = load(files);
    const { reassignedHelpers } = addAccounts(database, anna, { ...generic.users, helpers });
    assert.deepEqual(
      reassignedHelpers,
      title.includes("crostini") ? ["chronos-access", "android-root"] : ["helper"],
    );
    const again = load(saved(database, files));
    assert.deepEqual(addAccounts(again, anna, { ...generic.users, helpers }).reassignedHelpers, []);
    assert.deepEqual(again.changes(), []);
  });
}

const sites = [crostini.users, { ...crostini.users, requiredGroups: [] }, generic.users];
const name = fc.constantFrom("anna", "bob", "eve", "sudo", "chronos-access", "android-root", "anna-1000");
const id = fc.constantFrom(0, 27, 100, 500, 1000, 1001, 1002, 1003, 65534, 655360, 665357);
const password = fc.constantFrom("x", "x", "!", "", "$6$hash");
const people = fc.array(name, { maxLength: 3 }).map((all) => all.join(","));
const other = fc.constantFrom("# note", "", "+", "\t", "-@banned", "junk", ":::", "a\0:x:5:5:::", "eve:x");
/** The same line with too few or too many fields, or with a bad one. */
const damaged = (entry: fc.Arbitrary<string>) =>
  fc.tuple(entry, fc.nat({ max: 9 }), fc.boolean()).map(([line, count, isLonger]) => {
    const fields = line.split(":");
    return isLonger ? `${line}:${count}` : fields.toSpliced(count, fields.length, "-1").join(":");
  });
const fileOf = (entry: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: entry },
          { weight: 2, arbitrary: other },
          { weight: 1, arbitrary: damaged(entry) },
        ),
        { maxLength: 8 },
      ),
      fc.constantFrom("", "\n"),
    )
    .map(([lines, end]) => lines.join("\n") + end);
const home = fc.constantFrom("/home/anna", "/home/bob", "/", "");
const databases: fc.Arbitrary<Files> = fc.record({
  passwd: fileOf(
    fc
      .tuple(name, password, id, id, home)
      .map(([who, secret, uid, gid, at]) => `${who}:${secret}:${uid}:${gid}:G\xe9:${at}:/bin/sh`),
  ).map((text) => `root:x:0:0:::\n${text}`),
  group: fileOf(fc.tuple(name, password, id, people).map((all) => all.join(":"))),
  shadow: fileOf(fc.tuple(name, password).map(([who, secret]) => `${who}:${secret}:1:::::5:`)),
  gshadow: fileOf(fc.tuple(name, password, people, people).map((all) => all.join(":"))),
});

/** Adds the accounts; undefined if that is refused. */
function tryToAdd(database: AccountDatabase, users: (typeof sites)[number]) {
  try {
    return addAccounts(database, anna, users);
  } catch (error) {
    assert.ok(error instanceof TremplinError, String(error));
    return undefined;
  }
}

test("every existing line stays, and only the primary user joins groups", () => {
  let tried = 0;
  fc.assert(
    fc.property(databases, fc.constantFrom(...sites), (before, users) => {
      const database = load(before);
      const done = tryToAdd(database, users);
      if (!done) return;
      tried++;
      const after = saved(database, before);
      assert.equal(load(before).userByUid(1000)?.name ?? "anna", done.primaryUser.name);
      for (const file of names) {
        const [old, now] = [before, after].map((files) =>
          files[file].split("\n").filter((line) => line !== ""),
        );
        const left = now?.filter((line) => old?.some((each) => isOf(each, line, done.primaryUser.name)));
        for (const [index, line] of old?.entries() ?? []) {
          assert.ok(isOf(line, left?.[index] ?? "", done.primaryUser.name), `${file}: ${line}`);
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(tried > 100, `${tried} were not refused`);
});

/** Whether a line is unchanged, except that the user may have been added as a member. */
function isOf(old: string, now: string, user: string): boolean {
  return [old, `${old},${user}`, `${old}${user}`, `${old}:${user}`].includes(now);
}

/** What programs find: each name and each id refers to the first line that has it. */
function meanings({ passwd, group, shadow, gshadow }: Files, primaryUser: string) {
  const read = (text: string) =>
    text
      .split("\n")
      .filter((line) => /^[a-z]/.test(line))
      .map((line) => line.split(":"));
  const found = new Map<string, string>();
  const put = (key: string, value: string) => found.has(key) || found.set(key, value);
  const gids = new Map(read(group).map(([which = "", , gid = ""]) => [which, gid]));
  for (const [who = "", secret = "", uid = "", gid = "", ...rest] of read(passwd)) {
    put(`user ${who}`, [secret, uid, gid, ...rest].join(":"));
    put(`uid ${uid}`, who);
    const main = read(group).find((each) => each[2] === gid)?.[0];
    // A gid without a name may get that of its only user.
    if (who !== primaryUser) put(`primary group of ${who}`, main ?? who);
    const joined = [...gids].filter(([which]) =>
      read(group).some(([g, , , all = ""]) => g === which && all.split(",").includes(who)),
    );
    if (who !== primaryUser) put(`groups of ${who}`, joined.join(" "));
  }
  for (const [who = "", ...rest] of read(shadow)) put(`password of ${who}`, rest.join(":"));
  for (const [which = "", secret = "", gid = "", all = ""] of read(group)) {
    put(`group ${which}`, [secret, gid, without(all, primaryUser)].join(":"));
    put(`gid ${gid}`, which);
    const users = read(passwd).filter(
      (each) => each[3] === gid && ![primaryUser, which].includes(each[0] ?? ""),
    );
    put(`users of gid ${gid}`, users.map(([who]) => who).join());
  }
  for (const [which = "", secret = "", admins = "", all = ""] of read(gshadow)) {
    put(`password of group ${which}`, [secret, admins, without(all, primaryUser)].join(":"));
  }
  return found;
}

function without(members: string, name: string): string {
  return members
    .split(",")
    .filter((each) => each !== name)
    .join();
}

test("every existing name, id, password and membership keeps its meaning", () => {
  fc.assert(
    fc.property(databases, fc.constantFrom(...sites), (before, users) => {
      const database = load(before);
      const done = tryToAdd(database, users);
      if (!done) return;
      const { primaryUser, isNew } = done;
      const old = meanings(before, primaryUser.name);
      const now = meanings(saved(database, before), primaryUser.name);
      for (const [key, value] of old) assert.equal(now.get(key), value, key);
      if (isNew) assert.ok(!old.has(`user ${primaryUser.name}`) && !old.has("uid 1000"));
      if (isNew)
        assert.ok(
          !load(before).isPrimaryGid(primaryUser.gid) || old.get(`gid ${primaryUser.gid}`) === "anna",
        );
    }),
    { numRuns: 1000 },
  );
});

test("a second call changes nothing, and completes files that were only partly written", () => {
  fc.assert(
    fc.property(
      databases,
      fc.constantFrom(...sites),
      fc.nat({ max: names.length }),
      (before, users, written) => {
        const database = load(before);
        if (!tryToAdd(database, users)) return;
        const whole = saved(database, before);
        const second = load(whole);
        addAccounts(second, anna, users);
        assert.deepEqual(second.changes(), []);

        const cut = saved(database, before, written);
        const next = load(cut);
        addAccounts(next, anna, users);
        const completed = saved(next, cut);
        const lines = (files: Files) => names.map((file) => files[file].split("\n").sort());
        assert.deepEqual(lines(completed), lines(whole));
      },
    ),
    { numRuns: 1000 },
  );
});

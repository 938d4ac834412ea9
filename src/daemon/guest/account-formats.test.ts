import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountFile, type AccountFormat } from "./account-file.ts";
import { group, gshadow, passwd, shadow } from "./account-formats.ts";

interface Named {
  readonly name: string;
}

function read<Entry extends Named>(format: AccountFormat<Entry>, text: string) {
  return new AccountFile(format, Buffer.from(text));
}

function find<Entry extends Named>(file: AccountFile<Entry>, name: string): Entry | undefined {
  return file.find((entry) => entry.name === name, "the name");
}

function written(file: { toBytes(): Uint8Array }): string {
  return Buffer.from(file.toBytes()).toString();
}

/** Why the last line of a file is not valid. */
function problem<Entry extends Named>(format: AccountFormat<Entry>, text: string): string {
  const { problems } = read(format, text);
  return problems.at(-1) ?? "";
}

test("passwd: the seven fields are read", () => {
  const file = read(passwd, "testuser:x:1000:1001:Test User,,,:/home/testuser:/bin/bash\n");
  assert.deepEqual(find(file, "testuser"), {
    name: "testuser",
    password: "x",
    uid: 1000,
    gid: 1001,
    gecos: "Test User,,,",
    home: "/home/testuser",
    shell: "/bin/bash",
  });
});

test("passwd: the comment field may be empty", () => {
  const file = read(passwd, "testuser:x:1000:1000::/home/testuser:/bin/bash");
  assert.equal(find(file, "testuser")?.gecos, "");
});

test("passwd: an entry is written as a line", () => {
  const file = read(passwd, "");
  file.append({
    name: "root",
    password: "x",
    uid: 0,
    gid: 0,
    gecos: "root",
    home: "/root",
    shell: "/bin/bash",
  });
  assert.equal(written(file), "root:x:0:0:root:/root:/bin/bash\n");
});

test("passwd: ids are unsigned and have 32 bits", () => {
  assert.equal(find(read(passwd, "a:x:4294967295:0:::"), "a")?.uid, 4294967295);
});

for (const [bad, why] of [
  ["root:x:0:0:root:/root", /6 fields instead of 7/],
  ["root:x:0:0:root:/root:/bin/bash:", /8 fields instead of 7/],
  ["root", /1 fields instead of 7/],
  ["root:x:-1:0:root:/root:/bin/bash", /the uid/],
  ["root:x:0:-1:root:/root:/bin/bash", /the gid/],
  ["root:x:4294967296:0:root:/root:/bin/bash", /the uid/],
  ["root:x:99999999999999999999:0:root:/root:/bin/bash", /the uid/],
  ["root:x: 0:0:root:/root:/bin/bash", /the uid/],
  ["root:x:0 :0:root:/root:/bin/bash", /the uid/],
  ["root:x::0:root:/root:/bin/bash", /the uid/],
  [":x:0:0:root:/root:/bin/bash", /the name is empty/],
  ["root :x:0:0:root:/root:/bin/bash", /the name ends in white space/],
  ["root:x:0:0:ro\0ot:/root:/bin/bash", /a NUL byte/],
] as const) {
  test(`passwd: ${JSON.stringify(bad)} is not valid, and stays`, () => {
    const text = `daemon:x:1:1:::\n${bad}\n`;
    const file = read(passwd, text);
    assert.match(problem(passwd, text), /^line 2 of \/etc\/passwd: /);
    assert.match(problem(passwd, text), why);
    assert.equal(file.entries.length, 1);
    assert.equal(written(file), text);
  });
}

for (const [text, uid] of [
  ["1000", 1000],
  [" 1000", 1000],
  ["+1000", 1000],
  ["01000", 1000],
  ["1000x", 1000],
  ["-1000", Number.NaN],
  ["4294967296", Number.NaN],
  ["9".repeat(1_000_000), Number.NaN],
  ["", Number.NaN],
] as const) {
  test(`passwd: the uid ${JSON.stringify(text.slice(0, 20))} takes ${uid}`, () => {
    assert.equal(read(passwd, `a:x:${text}:1:::`).claims[0]?.uid, uid);
  });
}

test("group: members are read in order", () => {
  assert.deepEqual(find(read(group, "audio:x:29:pulse,testuser\n"), "audio"), {
    name: "audio",
    password: "x",
    gid: 29,
    members: ["pulse", "testuser"],
  });
});

test("group: an empty member field is an empty list", () => {
  assert.deepEqual(find(read(group, "testuser:x:1000:"), "testuser")?.members, []);
});

for (const [members, names] of [
  ["asdf,", ["asdf"]],
  [",asdf", ["asdf"]],
  [",", []],
  ["a,,b", ["a", "b"]],
  [" a, b", ["a", "b"]],
  ["a\r", ["a\r"]],
] as const) {
  test(`group: the members ${JSON.stringify(members)} are read as the C library does`, () => {
    assert.deepEqual(find(read(group, `a:x:1:${members}`), "a")?.members, names);
  });
}

test("group: the members may be missing", () => {
  assert.deepEqual(find(read(group, "a:x:1"), "a"), { name: "a", password: "x", gid: 1, members: [] });
});

for (const bad of ["a:x", "a:x:-1:", "a:x::", ":x:1:", "a:x:1:b:c", "a:x:1:b\0,c"]) {
  test(`group: ${JSON.stringify(bad)} is not valid`, () => {
    assert.deepEqual(read(group, bad).entries, []);
    assert.notEqual(problem(group, bad), "");
  });
}

for (const line of [
  "root:*:17756:0:99999:7:::",
  "root:*:17756:0:99999",
  "root:*:17756:0:99999:7::",
  "root:*:-1:x::::::",
  "root",
]) {
  test(`shadow: "${line}" is a line of root`, () => {
    assert.deepEqual(find(read(shadow, line), "root")?.fields, line.split(":").slice(1));
  });
}

test("shadow: an entry is written as a line", () => {
  const line = "testuser:!:17814:0:99999:7:::\n";
  const entry = find(read(shadow, line), "testuser");
  const file = read(shadow, "");
  assert.ok(entry);
  file.append(entry);
  assert.equal(written(file), line);
});

test("gshadow: administrators and members are two lists", () => {
  const file = read(gshadow, "audio:*::pulse,testuser\nroot:!::\nteam:!:boss,deputy:boss\nodd:!:x,:,x\n");
  const lists = file.entries.map(({ administrators, members }) => [administrators, members]);
  assert.deepEqual(lists, [
    [[], ["pulse", "testuser"]],
    [[], []],
    [["boss", "deputy"], ["boss"]],
    [["x"], ["x"]],
  ]);
});

test("gshadow: an entry is written as a line", () => {
  const file = read(gshadow, "");
  file.append({ name: "team", password: "!", administrators: ["boss"], members: ["boss", "deputy"] });
  file.append({ name: "root", password: "!", administrators: [], members: [] });
  assert.equal(written(file), "team:!:boss:boss,deputy\nroot:!::\n");
});

for (const bad of ["a:!:", "a:!:::", ":!::", "a"]) {
  test(`gshadow: "${bad}" is not valid`, () => {
    assert.deepEqual(read(gshadow, bad).entries, []);
    assert.notEqual(problem(gshadow, bad), "");
  });
}

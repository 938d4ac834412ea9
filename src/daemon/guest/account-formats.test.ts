import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountFile, type AccountFormat } from "./account-file.ts";
import { group, gshadow, passwd, shadow } from "./account-formats.ts";

function read<Entry extends { readonly name: string }>(format: AccountFormat<Entry>, text: string) {
  return new AccountFile(format, Buffer.from(text));
}

function written(file: { toBytes(): Uint8Array }): string {
  return Buffer.from(file.toBytes()).toString();
}

test("passwd: the seven fields are read", () => {
  const file = read(passwd, "testuser:x:1000:1001:Test User,,,:/home/testuser:/bin/bash\n");
  assert.deepEqual(file.find("testuser"), {
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
  assert.equal(file.find("testuser")?.gecos, "");
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
  assert.equal(read(passwd, "a:x:4294967295:0:::").find("a")?.uid, 4294967295);
});

for (const [bad, why] of [
  ["root:x:0:0:root:/root", /7 fields/],
  ["root:x:0:0:root:/root:/bin/bash:", /7 fields/],
  ["root:x:-1:0:root:/root:/bin/bash", /the uid/],
  ["root:x:0:-1:root:/root:/bin/bash", /the gid/],
  ["root:x:4294967296:0:root:/root:/bin/bash", /the uid/],
  ["root:x::0:root:/root:/bin/bash", /the uid/],
  [":x:0:0:root:/root:/bin/bash", /the name is empty/],
] as const) {
  test(`passwd: "${bad}" is refused with its line number`, () => {
    assert.throws(
      () => read(passwd, `daemon:x:1:1:::\n${bad}\n`),
      (error: Error) => {
        assert.match(error.message, /^line 2 of \/etc\/passwd is not valid: /);
        assert.match(error.message, why);
        return true;
      },
    );
  });
}

test("group: members are read in order", () => {
  assert.deepEqual(read(group, "audio:x:29:pulse,testuser\n").find("audio"), {
    name: "audio",
    password: "x",
    gid: 29,
    members: ["pulse", "testuser"],
  });
});

test("group: an empty member field is an empty list", () => {
  assert.deepEqual(read(group, "testuser:x:1000:").find("testuser")?.members, []);
});

test("group: an entry is written as a line", () => {
  const file = read(group, "testuser:x:1000:\n");
  const entry = file.find("testuser");
  assert.ok(entry);
  file.replace(entry, { ...entry, members: ["a", "b"] });
  assert.equal(written(file), "testuser:x:1000:a,b\n");
});

for (const bad of ["a:x:1:asdf,", "a:x:1:,asdf", "a:x:1:,", "a:x:1:a,,b", "a:x:-1:", "a:x:1", ":x:1:"]) {
  test(`group: "${bad}" is refused`, () => {
    assert.throws(() => read(group, bad), { name: "TremplinError", code: "failed" });
  });
}

test("shadow: the nine fields are read; empty ones are undefined", () => {
  assert.deepEqual(read(shadow, "root:*:17756:0:99999:7:::\n").find("root"), {
    name: "root",
    password: "*",
    lastChange: 17756n,
    minimum: 0n,
    maximum: 99999n,
    warn: 7n,
    inactive: undefined,
    expire: undefined,
    reserved: "",
  });
});

test("shadow: an entry is written as a line", () => {
  const line = "testuser:!:17814:0:99999:7:::\n";
  const entry = read(shadow, line).find("testuser");
  const file = read(shadow, "");
  assert.ok(entry);
  file.append(entry);
  assert.equal(written(file), line);
});

test("shadow: numbers may have 64 bits", () => {
  assert.equal(read(shadow, "a:!:18446744073709551615::::::").find("a")?.lastChange, 2n ** 64n - 1n);
});

for (const bad of ["-1", "18446744073709551616", "1".repeat(10_000), "x", " 1"]) {
  test(`shadow: a last change of ${bad.slice(0, 30)} is refused`, () => {
    const why = /line 1 of \/etc\/shadow .*the day of the last change/;
    assert.throws(() => read(shadow, `a:!:${bad}::::::`), why);
  });
}

test("shadow: an error does not reveal a password in the wrong field", () => {
  assert.throws(
    () => read(shadow, "a:$6$secret:$6$secret::::::"),
    (error: Error) => !error.message.includes("secret"),
  );
});

test("gshadow: administrators and members are two lists", () => {
  const file = read(gshadow, "audio:*::pulse,testuser\nroot:!::\nteam:!:boss,deputy:boss\n");
  const lists = file.entries.map(({ administrators, members }) => [administrators, members]);
  assert.deepEqual(lists, [
    [[], ["pulse", "testuser"]],
    [[], []],
    [["boss", "deputy"], ["boss"]],
  ]);
});

test("gshadow: an entry is written as a line", () => {
  const file = read(gshadow, "");
  file.append({ name: "team", password: "!", administrators: ["boss"], members: ["boss", "deputy"] });
  file.append({ name: "root", password: "!", administrators: [], members: [] });
  assert.equal(written(file), "team:!:boss:boss,deputy\nroot:!::\n");
});

for (const bad of ["a:!:x,:", "a:!::x,", "a:!:", "a:!:::", ":!::"]) {
  test(`gshadow: "${bad}" is refused`, () => {
    assert.throws(() => read(gshadow, bad), { name: "TremplinError", code: "failed" });
  });
}

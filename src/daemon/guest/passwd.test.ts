import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountFile } from "./account-file.ts";
import { passwd } from "./passwd.ts";

function read(text: string) {
  return new AccountFile(passwd, Buffer.from(text));
}

test("the seven fields are read", () => {
  assert.deepEqual(read("testuser:x:1000:1001:Test User,,,:/home/testuser:/bin/bash\n").named("testuser"), {
    name: "testuser",
    password: "x",
    uid: 1000,
    gid: 1001,
    gecos: "Test User,,,",
    home: "/home/testuser",
    shell: "/bin/bash",
  });
});

test("a comment field may be empty", () => {
  assert.equal(read("testuser:x:1000:1000::/home/testuser:/bin/bash").named("testuser")?.gecos, "");
});

test("an entry is written as a line", () => {
  const file = read("");
  file.append({
    name: "root",
    password: "x",
    uid: 0,
    gid: 0,
    gecos: "root",
    home: "/root",
    shell: "/bin/bash",
  });
  assert.equal(Buffer.from(file.toBytes()).toString(), "root:x:0:0:root:/root:/bin/bash\n");
});

test("ids are unsigned and have 32 bits", () => {
  assert.equal(read("a:x:4294967295:0:::").named("a")?.uid, 4294967295);
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
  test(`"${bad}" is refused with its line`, () => {
    assert.throws(
      () => read(`daemon:x:1:1:::\n${bad}\n`),
      (error: Error) => {
        assert.match(error.message, /^line 2 of \/etc\/passwd is not valid: /);
        assert.match(error.message, why);
        return true;
      },
    );
  });
}

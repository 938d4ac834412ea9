import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { ContainerActions } from "../../../test/support/container-actions.ts";
import { FileTree } from "../../../test/support/memory-engine/file-tree.ts";
import { MemoryEngine } from "../../../test/support/memory-engine/memory-engine.ts";
import { tinyImageBytes } from "../../../test/support/memory-engine/tiny-image-bytes.ts";
import { silentLogger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { generic } from "../sites/generic.ts";
import { decodeLatin1, encodeLatin1 } from "./lossless-text.ts";
import { ensurePrimaryUser, findPrimaryUser } from "./primary-user.ts";

let memory: MemoryEngine;
let engine: Engine;

before(async () => {
  memory = await MemoryEngine.open();
  engine = await memory.connect();
  await new ContainerActions(engine, memory.addImage(tinyImageBytes())).create("c1");
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await memory?.[Symbol.asyncDispose]();
});

const base = {
  "/bin/sh": "busybox",
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "/etc/group": "root:x:0:\n",
  "/etc/shadow": "root:*:19000:0:99999:7:::\n",
  "/etc/gshadow": "root:*::\n",
  "/etc/skel/.profile": "# tiny\n",
  "/home/.keep": "",
  "/etc/shells": "/bin/ash\n/bin/sh\n",
};

/** Gives the container these files; programs can be executed. */
function fill(files: Readonly<Record<string, string | Uint8Array>>): FileTree {
  const tree = new FileTree();
  for (const [path, content] of Object.entries({ ...base, ...files })) {
    tree.write(path, "");
    const mode = path.includes("/bin/") ? 0o755 : 0o644;
    tree.set(path, { type: "file", content: Buffer.from(content), uid: 0, gid: 0, mode });
  }
  const instance = memory.holdings.instances.get("c1");
  assert.ok(instance);
  instance.files = tree;
  return tree;
}

async function ensure(name = "anna", known: string[] = []): Promise<string[]> {
  using files = await engine.fileSession("c1");
  const onNameKnown = (each: string) => known.push(each);
  const spec = { name, users: generic.users, now: 0, log: silentLogger, onNameKnown };
  return await ensurePrimaryUser(files, spec);
}

async function find() {
  using files = await engine.fileSession("c1");
  return await findPrimaryUser(files);
}

test("a container with busybox alone gets a user with its shell, and a note about root", async () => {
  const tree = fill({});
  const [note, ...others] = await ensure();
  assert.equal(tree.read("/etc/passwd")?.split("\n")[1], "anna:x:1000:1000:anna:/home/anna:/bin/sh");
  assert.equal(tree.read("/home/anna/.profile"), "# tiny\n");
  assert.equal(tree.get("/home/anna/.profile")?.uid, 1000);
  assert.match(note ?? "", /^the primary user cannot become root inside: the container has neither sudo nor/);
  assert.deepEqual(others, []);
});

for (const [title, files, note] of [
  [
    "sudo with a rule without a password",
    { "/usr/bin/sudo": "", "/etc/sudoers.d/x": "%sudo ALL=NOPASSWD:ALL" },
    "",
  ],
  [
    "doas with such a rule for wheel",
    { "/usr/bin/doas": "", "/etc/doas.d/x.conf": "permit nopass :wheel" },
    "",
  ],
  ["su, and root has a password", { "/bin/su": "", "/etc/shadow": "root:$6$hash:1::::::\n" }, ""],
  [
    "sudo without a rule",
    { "/usr/bin/sudo": "", "/etc/sudoers.d/x.bak": "anna ALL=ALL" },
    "sudo has no rule",
  ],
  [
    "sudo with a rule",
    { "/bin/sudo": "", "/etc/sudoers": "anna ALL=(ALL) ALL" },
    "sudo asks for .* password",
  ],
  ["su, and root has no password", { "/bin/su": "" }, "neither sudo nor doas"],
] as const) {
  test(`becoming root: the container has ${title}`, async () => {
    fill({ "/etc/group": "root:x:0:\nsudo:x:27:\nwheel:x:10:anna\n", ...files });
    const notes = await ensure();
    if (note) assert.match(notes.join(), new RegExp(note));
    else assert.deepEqual(notes, []);
  });
}

for (const [title, skeleton] of [
  ["too many files", Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`/etc/skel/d/${n}`, ""]))],
  ["too large a file", { "/etc/skel/big": Buffer.alloc(65 * 1024 * 1024) }],
] as const) {
  test(`a skeleton with ${title} is refused before anything changes`, async () => {
    const tree = fill(skeleton);
    const before = tree.texts().length;
    const known: string[] = [];
    await assert.rejects(
      ensure("anna", known),
      /^TremplinError: \/etc\/skel cannot be copied for a new home: /,
    );
    assert.equal(tree.texts().length, before);
    assert.equal(tree.read("/etc/passwd"), base["/etc/passwd"]);
    assert.deepEqual(known, ["anna"]);
  });
}

for (const stuck of ["/etc/passwd-", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"]) {
  test(`${stuck} cannot be replaced: no account file has changed`, async () => {
    const tree = fill({});
    const before = Object.keys(base).map((path) => [path, tree.read(path)]);
    const rename = tree.rename.bind(tree);
    tree.rename = (from, to) => to !== stuck && rename(from, to);
    await assert.rejects(
      ensure(),
      new RegExp(`${stuck} in the container cannot be replaced: .*; if it is immutable`),
    );
    assert.deepEqual(
      Object.keys(base).map((path) => [path, tree.read(path)]),
      before,
    );
    const extra = tree.texts().filter(([path]) => !(path in base) && !/^\/etc\/\w+-$/.test(path));
    assert.deepEqual(extra, []);
    assert.equal(tree.get("/home/anna"), undefined);
  });
}

test("the name of the primary user is read from passwd alone, and where its line is not valid, that is said", async () => {
  const line = "bob:x:1000:1000:Bob:/home/bob\n";
  const tree = fill({ "/etc/passwd": `${base["/etc/passwd"]}junk\n${line}`, "/etc/group": "::\n\0" });
  for (const path of ["/etc/shadow", "/etc/gshadow"]) tree.delete(path);
  const reason = /line 3 of \/etc\/passwd has the uid 1000 but is not valid: it has 6 fields/;
  await assert.rejects(find(), reason);
  await assert.rejects(ensure(), reason);
  tree.write("/etc/passwd", `${base["/etc/passwd"]}junk\n${line.trim()}:/bin/sh\n`);
  assert.equal((await find())?.home, "/home/bob");
});

test("any bytes in the account files: every line stays, in order, or the line that is in the way is named", async () => {
  const piece = fc.constantFrom(
    ...":,\n\r\t \0+-#".split(""),
    "\xff\xe9",
    "bob:x:1001:1001:Bob:/home/bob",
    "eve:x:1000:",
    "sudo:x:27:bob,\r\n",
    "users:x:100\n",
    "wheel:x:10:,a",
    "last:x:-1:5:::/bin/sh\n",
    "+@nis::::::\n",
  );
  const content = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((all) => encodeLatin1(all.join(""))),
    fc.uint8Array({ maxLength: 60 }),
  );
  const names = ["passwd", "group", "shadow", "gshadow"] as const;
  const files = fc.record({ passwd: content, group: content, shadow: content, gshadow: content });
  let done = 0;
  await fc.assert(
    fc.asyncProperty(files, async (added) => {
      const contents = names.map((name) => Buffer.concat([Buffer.from(base[`/etc/${name}`]), added[name]]));
      const tree = fill(Object.fromEntries(names.map((name, at) => [`/etc/${name}`, contents[at] ?? ""])));
      const failure = await ensure().catch(TremplinError.from);
      for (const [at, name] of names.entries()) {
        const now = decodeLatin1(tree.get(`/etc/${name}`)?.content ?? Buffer.alloc(0)).split("\n");
        const old = decodeLatin1(contents[at] ?? Buffer.alloc(0)).split("\n");
        if (failure instanceof TremplinError) assert.deepEqual(now, old);
        else assertInOrder(old, now);
      }
      if (!(failure instanceof TremplinError)) done++;
      else assert.match(failure.message, /^line \d+ of \/etc\/(passwd|group) has the /);
    }),
    { numRuns: 200 },
  );
  assert.ok(done > 50, `${done} were not refused`);
});

/** Every old line is among the new ones in the same order, except that anna may have joined. */
function assertInOrder(old: readonly string[], now: readonly string[]): void {
  let at = 0;
  for (const line of old) {
    const joined = [line, ...[",", "", ":"].map((by) => `${line}${by}anna`), `${line.trimEnd()}anna`];
    while (at < now.length && !joined.includes(now[at] ?? "")) at++;
    assert.ok(at < now.length, `${JSON.stringify(line)} is missing in ${JSON.stringify(now)}`);
    at++;
  }
}

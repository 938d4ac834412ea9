import assert from "node:assert/strict";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { serverCommand, serverError, splitPreamble, withHostKeys } from "./server-script.ts";
import { configText, includeLine, usersIn, withInclude } from "./ssh-config-text.ts";
import { addInclude, keepHostKeys, sshFiles } from "./ssh-files.ts";

const key = `ssh-ed25519 ${"A".repeat(68)}`;

test("each container with a user has a block before the one for all; odd words are quoted, odd users left out", () => {
  const text = configText({
    files: { key: "/home/my name/key", knownHosts: "/h/50%/known" },
    proxy: ["/opt/it's here/tremplin", "ssh-proxy", "--host", "unix:/run/host.sock"],
    users: new Map([
      ["web", "bob"],
      ["db", "ada"],
      ["bad", "x\n  ProxyCommand rm"],
    ]),
  });
  assert.match(
    text,
    /Host db\.tremplin\n {2}User ada\n\nHost web\.tremplin\n {2}User bob\n\nHost \*\.tremplin\n/,
  );
  assert.ok(
    text.includes(
      `  ProxyCommand '/opt/it'\\''s here/tremplin' ssh-proxy --host unix:/run/host.sock %h %r\n`,
    ),
  );
  assert.ok(text.includes('  IdentityFile "/home/my name/key"\n'));
  assert.ok(text.includes("  UserKnownHostsFile /h/50%%/known\n"));
  assert.ok(!text.includes("rm"));
  assert.deepEqual([...usersIn(text)].sort(), [
    ["db", "ada"],
    ["web", "bob"],
  ]);
});

test("our line comes first, once, and everything else stays", () => {
  const line = includeLine("/home/ada", "/home/ada/.config/tremplin/ssh/config");
  assert.equal(line, "Include ~/.config/tremplin/ssh/config");
  assert.equal(includeLine("/home/ada", "/x/c"), "Include /x/c");
  fc.assert(
    fc.property(fc.string(), (before) => {
      const after = withInclude(before, line);
      if (after === undefined) return before.includes(line);
      return (
        after.endsWith(before) && after.includes(`\n${line}\n`) && withInclude(after, line) === undefined
      );
    }),
  );
  assert.equal(withInclude(`Host a\r\n${line}\r\n`, line), undefined);
});

test("the person's file keeps its link, its mode and its bytes", async () => {
  const home = await mkdtemp(join(tmpdir(), "tremplin-ssh-"));
  try {
    const files = sshFiles({ config: join(home, ".config") });
    const path = join(home, ".ssh", "config");
    assert.equal(await addInclude({ home, config: "" }, files), true);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await rm(path);
    await mkdir(join(home, "dotfiles"));
    const actual = join(home, "dotfiles", "ssh");
    const bytes = Buffer.from([0x23, 0xff, 0xfe, 0x0a, 0x48]);
    await writeFile(actual, bytes);
    await chmod(actual, 0o640);
    await symlink("../dotfiles/ssh", path);
    assert.equal(await addInclude({ home, config: "" }, files), true);
    assert.equal(await addInclude({ home, config: "" }, files), false);
    assert.equal(await readlink(path), "../dotfiles/ssh");
    assert.equal((await stat(actual)).mode & 0o777, 0o640);
    assert.ok((await readFile(actual)).subarray(-bytes.length).equals(bytes));
  } finally {
    await rm(home, { recursive: true });
  }
});

test("a link to nothing stays a link, and no other file of the person is written", async () => {
  const home = await mkdtemp(join(tmpdir(), "tremplin-ssh-"));
  try {
    const files = sshFiles({ config: join(home, ".config") });
    const path = join(home, ".ssh", "config");
    await mkdir(join(home, ".ssh"));
    await symlink("../dotfiles/ssh", path);
    await assert.rejects(addInclude({ home, config: "" }, files), /config is a link to nothing/);
    assert.equal(await readlink(path), "../dotfiles/ssh");
    await rm(path);
    await writeFile(`${path}.new`, "mine");
    assert.equal(await addInclude({ home, config: "" }, files), true);
    assert.equal(await readFile(`${path}.new`, "utf8"), "mine");
    assert.deepEqual((await readdir(join(home, ".ssh"))).sort(), ["config", "config.new"]);
  } finally {
    await rm(home, { recursive: true });
  }
});

test("connections that begin at the same time keep the host keys of each other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tremplin-ssh-"));
  try {
    const hosts = Array.from({ length: 8 }, (_, index) => `web${index}.tremplin`);
    await Promise.all(hosts.map((host) => keepHostKeys(folder, host, [key])));
    const kept = (await readFile(join(folder, "known_hosts"), "utf8")).trim().split("\n").sort();
    assert.deepEqual(
      kept,
      hosts.map((host) => `${host} ${key}`),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("only keys count of what a container says before ssh, whatever it says", () => {
  const said = Buffer.from(`${key} root@web\nmotd\n* ${key}\nssh-rsa short\ntremplin-ready\nSSH-2.0-x`);
  const split = splitPreamble(said);
  assert.deepEqual(split?.hostKeys, [key]);
  assert.equal(split?.rest.toString(), "SSH-2.0-x");
  assert.equal(splitPreamble(said.subarray(0, 40)), undefined);
  assert.throws(() => splitPreamble(Buffer.alloc(70_000)), /something else than its host keys/);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const { hostKeys = [] } =
        splitPreamble(Buffer.concat([bytes, Buffer.from("\ntremplin-ready\n")])) ?? {};
      return hostKeys.every((each) => !each.includes("\n"));
    }),
  );
});

test("new host keys replace those of the same container, and no other", () => {
  const before = withHostKeys(withHostKeys("", "web.tremplin", ["ssh-rsa old"]), "db.tremplin", [
    "ssh-rsa db",
  ]);
  assert.equal(withHostKeys(before, "web.tremplin", [key]), `db.tremplin ssh-rsa db\nweb.tremplin ${key}\n`);
});

test("nothing of a key or an account becomes part of the script", () => {
  const command = serverCommand(`${key} a comment; rm -rf /`, "$(reboot)");
  assert.deepEqual(command.slice(4), [key, "$(reboot)"]);
  for (const bad of ["", "ssh-ed25519", `ssh-ed25519 ${"A".repeat(68)};x`, "-oX A".repeat(9)]) {
    assert.throws(() => serverCommand(bad, ""), /key for containers is damaged/);
  }
  assert.match(
    serverError("web", "ada", "no-server").message,
    /tremplin exec --user root web -- sh -c 'apt-get update && apt-get install -y openssh-server'/,
  );
  assert.match(serverError("web", "ada", "bad config").message, /did not start: bad config/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { DeviceNodes } from "./device-nodes.ts";
import { EngineDevices } from "./engine-devices.ts";
import { MemberRules } from "./member-rules.ts";
import type { TarMember } from "./tar-member.ts";

const whole: readonly TarMember[] = [
  { type: "-", name: "metadata.yaml", size: 100 },
  { type: "d", name: "rootfs/", size: 0 },
  { type: "d", name: "rootfs/etc", size: 0 },
  { type: "l", name: "rootfs/etc/mtab", target: "../../../proc/mounts", size: 0 },
  { type: "-", name: "rootfs/etc/hosts", size: 10 },
  { type: "h", name: "rootfs/etc/hosts2", target: "rootfs/etc/hosts", size: 0 },
  { type: "c", name: "rootfs/dev/null", device: "1,3" },
  { type: "p", name: "rootfs/pipe", size: 0 },
  { type: "d", name: "templates", size: 0 },
  { type: "-", name: "templates/hosts.tpl", size: 10 },
];

function checkAll(members: readonly TarMember[]): void {
  const rules = new MemberRules(new EngineDevices());
  for (const member of members) rules.check(member);
  rules.finish();
}

test("a backup as engines make it is accepted, also with ./ before every name", () => {
  checkAll(whole);
  const dotted = whole.map((member) => ({
    ...member,
    name: `./${member.name}`,
    ...(member.type === "h" && { target: `./${member.target}` }),
  }));
  checkAll([{ type: "d", name: "./", size: 0 }, ...dotted]);
});

test("what a Mac's tar and other programs add beside the parts is accepted", () => {
  const names = ["._metadata.yaml", "./._rootfs", ".DS_Store", "__MACOSX/._rootfs", "PaxHeaders.42/rootfs"];
  const added = [...names, "pax_global_header"].map((name) => ({ type: "-", name, size: 10 }) as const);
  checkAll([{ type: "d", name: "__MACOSX/", size: 0 }, ...added, ...whole]);
});

const hostile: readonly [what: string, member: TarMember, reason: RegExp][] = [
  ["an absolute name", { type: "-", name: "/etc/passwd" }, /is outside the container/],
  ["a name with ..", { type: "-", name: "rootfs/../../etc/passwd" }, /is outside the container/],
  [
    "rootfs that is a link",
    { type: "l", name: "rootfs", target: "/etc" },
    /symbolic link "rootfs" to "\/etc"/,
  ],
  ["rootfs that is a file", { type: "-", name: "rootfs" }, /file "rootfs"/],
  ["templates that is a link", { type: "l", name: "templates", target: "/etc" }, /symbolic link "templates"/],
  ["a template that is a link", { type: "l", name: "templates/a", target: "/etc/shadow" }, /symbolic link/],
  ["a template that is a hard link", { type: "h", name: "templates/a", target: "rootfs/a" }, /hard link/],
  [
    "a hard link out of the container",
    { type: "h", name: "rootfs/a", target: "../../etc/shadow" },
    /outside the container/,
  ],
  ["an absolute hard link", { type: "h", name: "rootfs/a", target: "/etc/shadow" }, /outside the container/],
  ["a hard link to metadata", { type: "h", name: "rootfs/a", target: "metadata.yaml" }, /hard link/],
  ["a hard link to rootfs", { type: "h", name: "rootfs/a", target: "rootfs" }, /hard link/],
  ["a second metadata.yaml", { type: "-", name: "./metadata.yaml", size: 5 }, /metadata\.yaml/],
  ["a member of an unknown kind", { type: "other", name: "rootfs/x" }, /member of an unknown kind/],
  ["a disk", { type: "b", name: "rootfs/sda", device: "8,0" }, /device ".*sda" with the numbers 8,0/],
  ["the memory", { type: "c", name: "rootfs/m", device: "1,1" }, /numbers 1,1/],
  [
    "a link named like a Mac's file",
    { type: "l", name: "._rootfs", target: "/" },
    /symbolic link "\._rootfs"/,
  ],
  ["anything else", { type: "-", name: "backup.yaml" }, /file "backup\.yaml"/],
];

for (const [what, member, reason] of hostile) {
  test(`${what} is refused`, () => assert.throws(() => checkAll([...whole, member]), { message: reason }));
}

test("where the daemon unpacks, devices that no container may have are left out, with their names", () => {
  const nodes = new DeviceNodes();
  const rules = new MemberRules(nodes);
  const disk = { type: "b", name: "rootfs/dev/sda", device: "8,0" } as const;
  const whiteout = { type: "c", name: "rootfs/gone", device: "0,0" } as const;
  for (const member of [...whole, disk, whiteout]) rules.check(member);
  rules.finish();
  assert.equal(nodes.unmade, 2);
  assert.match(nodes.remark ?? "", /left out: "\/dev\/sda"; the engine/);
  for (let minor = 0; minor < 64; minor++) {
    rules.check({ type: "b", name: `./rootfs/dev/loop${minor}`, device: `7,${minor}` });
  }
  assert.match(nodes.remark ?? "", /: "\/dev\/sda", "\/dev\/loop0", .* and 60 more;/);
  const top = { type: "c", name: "rootfs", device: "1,3" } as const;
  assert.throws(() => rules.check(top), { message: /device "rootfs"/ });
  const template = { type: "c", name: "templates/null", device: "1,3" } as const;
  assert.throws(() => rules.check(template), { message: /device "templates\/null"/ });
});

test("metadata.yaml is a file of at most 1 MiB", () => {
  const [, ...rest] = whole;
  const large = { type: "-", name: "metadata.yaml", size: 1024 * 1024 + 1 } as const;
  assert.throws(() => checkAll([large, ...rest]), { message: /of 1048577 bytes/ });
  assert.throws(() => checkAll([{ type: "l", name: "metadata.yaml", target: "x" }, ...rest]), {
    message: /symbolic link "metadata\.yaml"/,
  });
  assert.throws(() => checkAll(rest), { message: /has no metadata\.yaml/ });
  assert.throws(() => checkAll([large].map((each) => ({ ...each, size: 1 }))), { message: /has no rootfs/ });
});

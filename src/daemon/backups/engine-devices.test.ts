import assert from "node:assert/strict";
import { test } from "node:test";
import { TremplinError } from "../../base/tremplin-error.ts";
import { EngineDevices } from "./engine-devices.ts";
import { MemberRules } from "./member-rules.ts";
import type { TarMember } from "./tar-member.ts";

const top: readonly TarMember[] = [
  { type: "-", name: "metadata.yaml", size: 1 },
  { type: "d", name: "rootfs" },
  { type: "d", name: "rootfs/dev" },
  { type: "c", name: "rootfs/dev/null", device: "1,3" },
];
const loop: TarMember = { type: "b", name: "./rootfs/dev/loop0", device: "7,0" };
const sound: TarMember = { type: "c", name: "rootfs/dev/snd/timer", device: "116,33" };

function checked(members: readonly TarMember[]): EngineDevices {
  const devices = new EngineDevices();
  const rules = new MemberRules(devices);
  for (const member of [...top, ...members]) rules.check(member);
  rules.finish();
  return devices;
}

test("those below /dev that no container may have are removed again, and nothing else", async () => {
  const there = new Map([
    ["/dev/loop0", "special"],
    ["/dev/snd/timer", "file"],
  ]);
  const removed: string[] = [];
  const devices = checked([loop, sound, { type: "l", name: "rootfs/dev/fd", target: "/proc/self/fd" }]);
  await devices.remove({
    async lstat(path) {
      const type = there.get(path);
      if (!type) throw new TremplinError("not-found", "no such file");
      return { type: type as "special", size: 0, uid: 0, gid: 0, mode: 0, modified: 0 };
    },
    async remove(path) {
      removed.push(path);
    },
  });
  assert.deepEqual(removed, ["/dev/loop0"]);
  assert.match(devices.remark ?? "", /"\/dev\/loop0", "\/dev\/snd\/timer"/);
});

test("allowed devices stay, also behind links", () => {
  const way: TarMember = { type: "l", name: "rootfs/way", target: "dev" };
  const devices = checked([way, { type: "c", name: "rootfs/way/zero", device: "1,5" }]);
  assert.equal(devices.remark, undefined);
});

test("another name of a link does no harm by itself", () => {
  const way: TarMember = { type: "l", name: "rootfs/way", target: "dev" };
  const devices = checked([loop, way, { type: "h", name: "rootfs/same", target: "rootfs/way" }]);
  assert.match(devices.remark ?? "", /"\/dev\/loop0"/);
});

test("a device outside of /dev is refused", () => {
  const elsewhere = { ...loop, name: "rootfs/srv/loop0" };
  assert.throws(() => checked([elsewhere]), { message: /device "rootfs\/srv\/loop0"/ });
});

const misplaced: readonly [what: string, members: readonly TarMember[]][] = [
  ["/dev is a link", [{ type: "l", name: "rootfs/dev", target: "srv" }, loop]],
  [
    "a link leads back to /dev, which another member replaces",
    [
      { type: "l", name: "rootfs/way", target: "." },
      { type: "l", name: "rootfs/way/dev", target: "srv" },
      loop,
    ],
  ],
  ["a folder in /dev is a link", [{ type: "l", name: "rootfs/dev/snd", target: "../srv" }, sound]],
  ["a hard link keeps it", [loop, { type: "h", name: "rootfs/kept", target: "rootfs/dev/loop0" }]],
  [
    "a hard link through a link keeps it",
    [
      loop,
      { type: "l", name: "rootfs/way", target: "dev" },
      { type: "h", name: "rootfs/kept", target: "./rootfs/way/loop0" },
    ],
  ],
  [
    "a hard link through another name of a link keeps it",
    [
      loop,
      { type: "l", name: "rootfs/way", target: "dev" },
      { type: "h", name: "rootfs/same", target: "rootfs/way" },
      { type: "h", name: ".//rootfs/third", target: "rootfs/./same" },
      { type: "h", name: "rootfs/kept", target: "rootfs//third/loop0" },
    ],
  ],
  [
    "another name of a link was its folder",
    [
      { type: "l", name: "rootfs/way", target: "../srv" },
      { type: "h", name: "rootfs/dev/snd", target: "rootfs/way" },
      sound,
    ],
  ],
];
for (const [what, members] of misplaced) {
  test(`a backup with such a device is refused if ${what}`, () =>
    assert.throws(() => checked(members), { code: "invalid", message: /files behind links/ }));
}

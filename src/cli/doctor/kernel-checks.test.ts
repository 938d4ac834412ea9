import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { parseMounts } from "./cgroups.ts";
import { builtAt, clockFinding, synchronizedBy } from "./clock-check.ts";
import { kernelChecks } from "./kernel-checks.ts";

const namespaces = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
const whole = {
  "proc/self/mounts": "none /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n",
  "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
  "proc/self/status": "Name:\tdoctor\nSeccomp:\t0\n",
  "lib/modules/6.1.0-1/modules.dep": "",
  "sys/module/apparmor/parameters/enabled": "Y\n",
  "usr/sbin/apparmor_parser": "",
  ...Object.fromEntries(namespaces.map((name) => [`proc/self/ns/${name}`, ""])),
};

/** What is found on a computer with these files; those with undefined are not there. */
async function found(t: TestContext, changes: Record<string, string | undefined> = {}) {
  const root = await mkdtemp(join(tmpdir(), "doctor-"));
  t.after(() => rm(root, { recursive: true }));
  for (const [name, content] of Object.entries({ ...whole, ...changes })) {
    if (content === undefined) continue;
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  const findings = await kernelChecks(root, "6.1.0-1");
  return Object.fromEntries(findings.map((each) => [each.name, each]));
}

test("a kernel that has everything passes", async (t) => {
  const states = Object.values(await found(t)).map(({ state }) => state);
  assert.deepEqual(states, ["good", "good", "good", "good"]);
});

const cgroup1 = ["cpu,cpuacct", "memory", "pids"]
  .map((names) => `cgroup /sys/fs/cgroup/${names} cgroup rw,${names} 0 0\n`)
  .join("");

for (const [title, changes, name, state, text, advice] of [
  ["no cgroups", { "proc/self/mounts": "" }, "cgroups", "bad", /no container can start/, /mount -t cgroup2/],
  ["cgroups of version 1", { "proc/self/mounts": cgroup1 }, "cgroups", "good", /version 1/, /^$/],
  [
    "no memory controller",
    { "sys/fs/cgroup/cgroup.controllers": "cpu pids" },
    "cgroups",
    "note",
    /cannot limit memory=/,
    /cgroup_enable=memory/,
  ],
  [
    "read-only cgroups",
    { "proc/self/mounts": "none /sys/fs/cgroup cgroup2 ro 0 0\n" },
    "cgroups",
    "bad",
    /read-only/,
    /remount,rw/,
  ],
  ["no user namespaces", { "proc/self/ns/user": undefined }, "kernel", "bad", /no user namespaces/, /reboot/],
  ["no seccomp", { "proc/self/status": "Name: x\n" }, "kernel", "bad", /no seccomp/, /linux-image/],
  [
    "an updated kernel",
    { "lib/modules/6.1.0-1/modules.dep": undefined, "lib/modules/6.1.0-2/modules.dep": "" },
    "modules",
    "bad",
    /running kernel 6.1.0-1 are gone/,
    /reboot: the kernel 6.1.0-2/,
  ],
  [
    "a kernel without modules",
    { "lib/modules/6.1.0-1/modules.dep": undefined },
    "modules",
    "good",
    /built/,
    /^$/,
  ],
  [
    "no AppArmor",
    { "sys/module/apparmor/parameters/enabled": "N\n" },
    "AppArmor",
    "note",
    /not enabled/,
    /apparmor=1/,
  ],
  ["no parser", { "usr/sbin/apparmor_parser": undefined }, "AppArmor", "bad", /may not start/, /apt-get/],
] as const) {
  test(`doctor on the kernel: ${title}`, async (t) => {
    const finding = (await found(t, changes))[name];
    assert.equal(finding?.state, state);
    assert.match(finding?.found ?? "", text);
    assert.match(finding?.advice ?? "", advice);
  });
}

test("a clock before the program was made is wrong, one that nobody sets is noted", () => {
  const built = builtAt("0.1.0+git20261130.063530.4dc545d8");
  assert.equal(new Date(built ?? 0).toISOString(), "2026-11-30T00:00:00.000Z");
  assert.equal(builtAt("0.1.0"), undefined);
  const now = Date.UTC(2026, 11, 1);
  const states = [
    clockFinding(0, built, true),
    clockFinding(now, built, false),
    clockFinding(now, built, true),
    clockFinding(now, undefined, undefined),
  ].map(({ state }) => state);
  assert.deepEqual(states, ["bad", "note", "good", "good"]);
  assert.deepEqual(["NTP=yes\nNTPSynchronized=no\n", "NTPSynchronized=yes", ""].map(synchronizedBy), [
    false,
    true,
    undefined,
  ]);
});

test("any text is read without a failure", () => {
  const mount = fc
    .tuple(fc.string(), fc.constantFrom("cgroup2", "ext4"), fc.string())
    .map((all) => all.join(" "));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(mount).map((all) => all.join("\n")),
      ),
      (text) => {
        for (const { path, type } of parseMounts(text)) assert.ok(path.length > 0 && type.length > 0);
        assert.ok([true, false, undefined].includes(synchronizedBy(text)));
        assert.ok(builtAt(text) === undefined || Number.isFinite(builtAt(text)));
      },
    ),
  );
});

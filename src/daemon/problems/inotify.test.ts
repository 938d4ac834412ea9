import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { Clock } from "../../base/async/clock.ts";
import { findInotifyLimits } from "./inotify.ts";

interface Process {
  readonly user: number;
  readonly instances: number;
  /** Watches of each instance. */
  readonly watches?: number;
  /** Other open files. */
  readonly others?: number;
}

/** The areas and advice that are found with these limits and processes. */
async function found(
  limits: { instances: number; watches: number },
  processes: readonly Process[],
  counting: { readonly clock?: Clock; readonly signal?: AbortSignal } = {},
): Promise<string[]> {
  const proc = await mkdtemp(join(tmpdir(), "proc-"));
  try {
    await mkdir(join(proc, "sys/fs/inotify"), { recursive: true });
    await writeFile(join(proc, "sys/fs/inotify/max_user_instances"), `${limits.instances}\n`);
    await writeFile(join(proc, "sys/fs/inotify/max_user_watches"), `${limits.watches}\n`);
    await mkdir(join(proc, "self/ns"), { recursive: true });
    await symlink("user:[1]", join(proc, "self/ns/user"));
    for (const [pid, { user, instances, watches = 0, others = 0 }] of processes.entries()) {
      await mkdir(join(proc, `${pid}/ns`), { recursive: true });
      await symlink(user === 1000 ? "user:[1]" : "user:[2]", join(proc, `${pid}/ns/user`));
      for (const folder of ["fd", "fdinfo"]) await mkdir(join(proc, `${pid}`, folder), { recursive: true });
      await writeFile(join(proc, `${pid}/status`), `Name:\tx\nUid:\t${user}\t${user}\t${user}\t${user}\n`);
      await symlink("/dev/null", join(proc, `${pid}/fd/0`));
      const folder = join(proc, `${pid}/fd`);
      await Promise.all(
        Array.from({ length: others }, (_, file) => writeFile(join(folder, `other-${file}`), "")),
      );
      for (let file = 1; file <= instances; file++) {
        await symlink("anon_inode:inotify", join(proc, `${pid}/fd/${file}`));
        await writeFile(
          join(proc, `${pid}/fdinfo/${file}`),
          `pos:\t0\n${"inotify wd:1 ino:2\n".repeat(watches)}`,
        );
      }
    }
    const found = await findInotifyLimits({ clock: new ManualClock(), ...counting, proc });
    return found.map(({ problem, advice }) => `${problem} -> ${advice}`);
  } finally {
    await rm(proc, { recursive: true });
  }
}

const container = { user: 1_000_000, instances: 30 };

test("limits that are far away are no problem", async () => {
  assert.deepEqual(await found({ instances: 128, watches: 8192 }, [container, container, container]), []);
});

test("an almost reached limit is reported with the command that raises it", async () => {
  const machine = { user: 0, instances: 30 };
  const person = { user: 1000, instances: 500 };
  const [problem] = await found({ instances: 128, watches: 8192 }, [
    container,
    container,
    container,
    machine,
    person,
  ]);
  assert.match(
    problem ?? "",
    /^120 of 128 instances of inotify are in use.* -> sysctl -w fs\.inotify\.max_user_instances=1024; echo /,
  );
});

test("watches count too", async () => {
  const [problem] = await found({ instances: 128, watches: 100 }, [
    { ...container, instances: 1, watches: 95 },
  ]);
  assert.match(problem ?? "", /^95 of 100 watches .*max_user_watches=1048576/);
});

const many = { instances: 128, watches: 1_000 };

test("counting ends after a while, and what was found until then is reported as part of it", async () => {
  let asked = 0;
  const slow = Object.assign(new ManualClock(), { elapsed: () => (++asked > 140 ? 2_000 : 0) });
  const processes = Array.from({ length: 2 }, () => ({ ...container, instances: 130 }));
  const [problem] = await found(many, processes, { clock: slow });
  const number = Number(
    /^at least (\d+) \(counting was cut short\) of 128 instances/.exec(problem ?? "")?.[1],
  );
  assert.ok(number >= 116 && number < 1_000, problem);
});

test("a process with very many files is looked at in part only", async () => {
  const hostile = { ...container, instances: 120, others: 4_200 };
  const problems = await found(many, [hostile, { ...container, instances: 120 }]);
  assert.match(problems[0] ?? "", /^at least \d+ \(counting was cut short\) of 128 instances/);
});

test("counting ends when both limits are reached", async () => {
  const [instances] = await found({ instances: 2, watches: 2 }, [
    { ...container, instances: 2, watches: 1 },
    { ...container, instances: 50 },
  ]);
  assert.match(instances ?? "", /^at least 2 .* of 2 instances/);
});

test("counting ends with the reason of its signal", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(found(many, [container], { signal }), /enough/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "../../../../test/support/memory-engine/exec.ts";
import { debianBench, leftOf, type Override } from "../../../../test/support/operation-bench/debian.ts";
import { type OperationBench, type Outcome, until } from "../../../../test/support/operation-bench.ts";
import {
  UpgradeContainerProgress_Status as Status,
  UpgradeContainerRequest_Version as Version,
} from "../../../contract/tremplin_pb.js";

const request = { containerName: "c1", targetVersion: Version.DEBIAN_BOOKWORM };
const asBefore = { status: "Running", release: "11", mark: undefined, snapshots: [] };

/** The inside of a container with systemd. What a test changes counts at once. */
interface Inside {
  names: string[];
  ports: number[];
  /** active, failed, activating ... by name. */
  units: Record<string, string>;
  busy: string[];
  audit: string;
  unmet: string;
}

const healthy = (): Inside => ({
  names: ["deb.debian.org", "c1.lxd"],
  ports: [22],
  units: { "nginx.service": "active", "ssh.service": "active", "systemd-resolved.service": "active" },
  busy: [],
  audit: "",
  unmet: "",
});

function answer(inside: Inside, words: string): ReturnType<Override> {
  const name = /getent ahosts (\S+)$/.exec(words)?.[1];
  if (name) return { exitCode: inside.names.includes(name) ? 0 : 2 };
  if (words === "cat /etc/resolv.conf") return { stdout: "nameserver 127.0.0.53\nsearch lxd\n" };
  if (words === "sshd -T") return { stdout: "port 22\n" };
  if (words === "cat /proc/net/tcp") return { stdout: inside.ports.map(listening).join("\n") };
  if (words === "systemctl is-system-running") return { stdout: inside.busy[0] ? "starting\n" : "running\n" };
  if (words.startsWith("systemctl list-jobs"))
    return { stdout: inside.busy.map((unit) => `7 ${unit} start running\n`).join("") };
  if (words.startsWith("systemctl show")) return { stdout: show(inside, words.split(" -- ")[1] ?? "") };
  if (words === "dpkg --audit") return { stdout: inside.audit, exitCode: inside.audit ? 1 : 0 };
  if (words.endsWith(" check")) return { stderr: inside.unmet, exitCode: inside.unmet ? 100 : 0 };
  return undefined;
}

function listening(port: number): string {
  const local = `00000000:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return `   0: ${local} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0 0 10 0`;
}

function show({ units }: Inside, asked: string): string {
  const names = asked === "*" ? Object.keys(units) : asked.split(" ");
  const blocks = names.map((name) => {
    const state = units[name];
    const file = state === undefined ? "" : "enabled";
    const load = state === undefined ? "not-found" : "loaded";
    return `Id=${name}\nLoadState=${load}\nActiveState=${state ?? "inactive"}\nUnitFileState=${file}\nConditionResult=yes\n`;
  });
  return blocks.join("\n");
}

/** Runs an upgrade in which the change happens with the new release. `pace`: the milliseconds that pass in a turn. */
async function upgrade(
  inside: Inside,
  change: (inside: Inside, command: Command) => void,
  { override = () => undefined, pace = 0 }: { override?: Override; pace?: number } = {},
): Promise<{ bench: OperationBench; outcome: Outcome } & AsyncDisposable> {
  const bench = await debianBench((words, command) => {
    if (words.endsWith(" autoremove")) change(inside, command);
    return override(words, command) ?? answer(inside, words);
  });
  const id = await bench.begin("upgrade", request);
  await until(() => {
    bench.daemon.clock.advance(pace);
    return bench.host.finals(id).length > 0;
  });
  const outcome = await bench.outcome(id);
  return { bench, outcome, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

function linesOf({ progress, final }: Outcome): string {
  return [...progress, final].flatMap(({ progressMessages = [] }) => progressMessages).join("\n");
}

const losses: [title: string, reason: RegExp, change: (inside: Inside, command: Command) => void][] = [
  [
    "it cannot resolve its mirror",
    /any more: resolving the name deb\.debian\.org/,
    ({ names }) => names.shift(),
  ],
  [
    "it cannot resolve any name",
    /deb\.debian\.org, resolving the name c1\.lxd/,
    ({ names }) => names.splice(0),
  ],
  ["ssh does not listen", /any more: ssh on port 22/, ({ ports }) => ports.pop()],
  [
    "a unit fails",
    /any more: nginx\.service, which failed/,
    ({ units }) => Object.assign(units, { "nginx.service": "failed" }),
  ],
  [
    "a unit does not start",
    /any more: nginx\.service, which is inactive/,
    ({ units }) => Object.assign(units, { "nginx.service": "inactive" }),
  ],
  [
    "a package is left unconfigured",
    /any more: the package tool, which is not fully installed/,
    (inside) => {
      inside.audit = "The following packages are only half configured:\n tool  a package\n";
    },
  ],
  [
    "dependencies are not met",
    /any more: the dependencies of all packages/,
    (inside) => {
      inside.unmet = "E: Unmet dependencies";
    },
  ],
  [
    "the home of the primary user is gone",
    /any more: the home \/home\/kim/,
    (_, { instance }) => instance.files.delete("/home/kim"),
  ],
];
for (const [title, reason, change] of losses) {
  test(`where ${title} after the upgrade, and that worked before, the container is as before`, async () => {
    await using run = await upgrade(healthy(), change, { pace: 1_000 });
    const { status, failureReason } = run.outcome.final;
    assert.equal(status, Status.FAILED);
    assert.match(failureReason, reason);
    assert.deepEqual(leftOf(run.bench), asBefore);
  });
}

const broken: [title: string, note: RegExp, arrange: (inside: Inside) => void][] = [
  ["no name was resolved", /it cannot resolve deb\.debian\.org, c1\.lxd now/, ({ names }) => names.splice(0)],
  [
    "a unit was stuck while starting",
    /these units do not run now, .*: stuck\.service/,
    (inside) => {
      inside.busy = ["stuck.service"];
      inside.units["stuck.service"] = "activating";
    },
  ],
  [
    "a unit had failed",
    /these units do not run now, .*: nginx\.service/,
    ({ units }) => Object.assign(units, { "nginx.service": "failed" }),
  ],
  [
    "dpkg complained about a package",
    /dpkg was interrupted earlier/,
    (inside) => {
      inside.audit = "The following packages are only half configured:\n tool  a package\n";
    },
  ],
  [
    "sums of files were missing",
    /it runs Debian 12/,
    (inside) => {
      inside.audit =
        "The following packages are missing the md5sums control file in the\ndatabase, they need to be reinstalled:\n tool  a package\n";
    },
  ],
  ["ssh did not listen", /it runs Debian 12/, ({ ports }) => ports.pop()],
];
for (const [title, note, arrange] of broken) {
  test(`where ${title} before the upgrade, that does not count against it`, async () => {
    const inside = healthy();
    arrange(inside);
    await using run = await upgrade(inside, () => undefined, { pace: 100 });
    assert.deepEqual([run.outcome.final.status, run.outcome.final.failureReason], [Status.SUCCEEDED, ""]);
    assert.match(linesOf(run.outcome), note);
  });
}

test("what takes time after the restart is waited for", async () => {
  const inside = healthy();
  let looks = 0;
  await using run = await upgrade(
    inside,
    ({ units }) => {
      units["nginx.service"] = "activating";
    },
    {
      pace: 20,
      override: (words) => {
        if (words.includes("-- nginx.service") && ++looks === 2) inside.units["nginx.service"] = "active";
        return undefined;
      },
    },
  );
  assert.equal(run.outcome.final.status, Status.SUCCEEDED, run.outcome.final.failureReason);
});

test("a unit that the new release does not have any more is reported and no loss", async () => {
  await using run = await upgrade(healthy(), ({ units }) => delete units["nginx.service"]);
  assert.equal(run.outcome.final.status, Status.SUCCEEDED);
  assert.match(linesOf(run.outcome), /nginx\.service was active and is no longer part of the system/);
});

test("a part of systemd that becomes a package of its own is installed with the upgrade", async () => {
  const commands: string[] = [];
  await using run = await upgrade(healthy(), () => undefined, {
    override: (words) => {
      if (words.includes("--assume-yes")) commands.push(words);
      if (!words.endsWith("policy systemd-resolved")) return undefined;
      return { stdout: "systemd-resolved:\n  Installed: (none)\n  Candidate: 252\n  Version table:\n" };
    },
  });
  assert.ok(commands.some((words) => words.endsWith(" dist-upgrade systemd-resolved")));
  assert.equal(run.outcome.final.status, Status.SUCCEEDED, run.outcome.final.failureReason);
});

test("what autoremove and the upgrade removed, and what is new, is in the last lines", async () => {
  const packages = ["base-files", "libold1", "libunused2"];
  const listed = () => packages.map((name) => `ii  ${name}\n`).join("");
  await using run = await upgrade(healthy(), () => packages.pop(), {
    override: (words, { instance }) => {
      if (words.endsWith(" dist-upgrade") && words.includes("--assume-yes")) packages.splice(1, 1);
      if (words.endsWith(" autoremove")) instance.files.write("/usr/bin/pip3", "");
      return words.startsWith("dpkg-query ") ? { stdout: listed() } : undefined;
    },
  });
  const { status, failureReason } = run.outcome.final;
  assert.equal(status, Status.SUCCEEDED, failureReason);
  const last = linesOf(run.outcome).split("\n").slice(-4);
  assert.equal(last[0], "the upgrade removed libold1");
  assert.match(last[1] ?? "", /autoremove removed them; .*: libunused2$/);
  assert.match(last[2] ?? "", /^new in bookworm: pip installs only into virtual environments/);
  assert.match(last[3] ?? "", /^it runs Debian 12 \(bookworm\) now/);
});

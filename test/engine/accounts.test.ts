import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SetUpUserResponse_Status as SetUp } from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { accountContents, accountFiles } from "../support/account-contents.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { runInside } from "../support/run-inside.ts";
import { writeSite } from "../support/test-site.ts";
import { createTiny, launch, shareTinyImage, startContainer } from "../support/tiny-container.ts";
import { type AccountCase, accountCases } from "./account-fixtures.ts";

let place: KeptFolder;
let daemon: TestDaemon;
let engine: Engine;

before(async () => {
  place = await keptFolder();
  daemon = await startDaemon({ site: await writeSite(place.path) });
  await launch(daemon);
  engine = await engineOf(daemon);
  await shareTinyImage(daemon);
  await createTiny(daemon, "tiny");
  await startContainer(daemon, "tiny");
  await inside("mkdir -p /mnt; cp -a /etc /kept");
});
after(async () => {
  await engine?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
  await place?.[Symbol.asyncDispose]();
});

const inside = (script: string) => runInside(engine, "tiny", script);

const reset = `rm -rf /etc/* /home/* /mnt/* /data /var/lib/systemd; cp -a /kept/. /etc/; mkdir -p /home
`;

/** Everything that SetUpUser could change, one line per file, with the times of change. */
const stamps =
  "find /etc /home /mnt /data /var/lib -exec stat -c '%n %F %s %u:%g %a %i %Z' {} + 2>/dev/null | sort";
/** The same without folders and account files, which may grow, and without the files that SetUpUser adds. */
const kept =
  "find /home /mnt /data /var -name '.*.tremplin' -prune -o -type d -o -exec stat -c '%n %F %s %u:%g %a %i %Z' {} + 2>/dev/null; true";

async function plant({ passwd, group, shadow, gshadow, plant: script }: AccountCase): Promise<void> {
  const lines = { passwd, group, shadow, gshadow };
  const added = Object.entries(lines).map(([name, all = []]) =>
    all.map((line) => `echo '${line}' >> /etc/${name}\n`).join(""),
  );
  await inside(`${reset}${added.join("")}${script ?? ""}`);
}

async function powered(on: boolean): Promise<void> {
  const changing = await engine.instances.setState("tiny", { action: on ? "start" : "stop", force: true });
  await changing.wait({ signal: AbortSignal.timeout(20_000) });
}

for (const state of ["running", "stopped"] as const) {
  for (const each of accountCases.filter(({ stopped }) => stopped || state === "running")) {
    test(`${state}: ${each.title}`, async () => {
      await plant(each);
      const [stamped, files, lines] = [await inside(stamps), await inside(kept), await contents()];
      if (state === "stopped") await powered(false);
      const { wanted = "anna", username = "anna", reason, look, there } = each;
      const request = { containerName: "tiny", containerUsername: wanted };
      const answer = await daemon.tremplin.setUpUser(request);
      if (state === "stopped") await powered(true);

      const status = reason ? SetUp.FAILED : SetUp.SUCCESS;
      assert.deepEqual([answer.status, answer.username], [status, username], answer.failureReason);
      assert.match(answer.failureReason, reason ?? /^$/);
      if (reason) assert.equal(await inside(stamps), stamped);
      const now = new Set((await inside(kept)).split("\n"));
      for (const file of files.split("\n")) assert.ok(now.has(file), file);
      assertKept(lines, await contents(), username);
      if (look) assert.match(await inside(`{ ${look}; } 2>/dev/null; true`), there ?? /./);

      const done = await inside(stamps);
      assert.equal((await daemon.tremplin.setUpUser(request)).status, status);
      assert.equal(await inside(stamps), done);
    });
  }
}

/** What the login shell prints for these lines. */
async function typed(lines: string): Promise<string> {
  async function* inputs() {
    yield { input: { case: "start" as const, value: { containerName: "tiny", plain: true } } };
    yield { input: { case: "data" as const, value: Buffer.from(`${lines}\nexit\n`) } };
  }
  const chunks: Uint8Array[] = [];
  for await (const { output } of daemon.guest.shell(inputs())) {
    if (output.case === "data" || output.case === "errors") chunks.push(output.value);
  }
  return Buffer.concat(chunks).toString();
}

for (const [title, script, printed] of [
  ["in the shell of the primary user", "true", /^anna \/home\/anna\n$/],
  [
    "in one that the container has",
    "sed -i '/^anna:/s#/bin/sh#/bin/bash#' /etc/passwd",
    /^anna \/home\/anna\n$/,
  ],
  [
    "of root where the line of the user cannot be used",
    "sed -i '/^anna:/s#:[^:]*$##' /etc/passwd",
    /^root \/root\n$/,
  ],
] as const) {
  test(`a container with busybox alone: a shell opens ${title}`, async () => {
    await inside(reset);
    const { status, failureReason } = await daemon.tremplin.setUpUser({
      containerName: "tiny",
      containerUsername: "anna",
    });
    assert.equal(status, SetUp.SUCCESS, failureReason);
    await inside(script);
    assert.match(await typed('echo "$(id -un) $HOME"'), printed);
    await inside("[ -e /bin/su ] || mv /bin/kept /bin/su");
  });
}

const contents = () => accountContents(engine, "tiny");

/** Every line is unchanged, except that the primary user may have joined groups. */
function assertKept(before: Record<string, string>, after: Record<string, string>, person: string): void {
  for (const name of accountFiles) {
    const [old, now] = [before, after].map((files) => linesOf(files[name] ?? ""));
    for (const [index, line] of old?.entries() ?? []) {
      const joined = [
        line,
        ...[",", "", ":"].map((by) => `${line}${by}${person}`),
        `${line.trimEnd()}${person}`,
      ];
      assert.ok(joined.includes(now?.[index] ?? "-"), `${line} is ${now?.[index]}`);
      if (name === "passwd" || name === "shadow") assert.equal(now?.[index], line);
    }
  }
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n+$/, "").split("\n");
}

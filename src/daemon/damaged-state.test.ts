import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { damagedContents } from "../../test/support/damaged-contents.ts";
import { temporaryFolder } from "../../test/support/hostile-peer.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { systemClock } from "../base/async/clock.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { dial } from "../transport/client.ts";
import { Daemon } from "./daemon.ts";
import { UsbAssignments } from "./devices/usb-assignments.ts";
import { Journal } from "./notices/journal.ts";
import { RejectedNotices } from "./notices/rejected-notices.ts";
import { daemonDefaults } from "./options.ts";
import { openStateFolder } from "./state-folder.ts";
import { readConfigBackup } from "./supervisor/config-backup/config-backup.ts";
import { readStillMissing } from "./supervisor/config-backup/still-missing.ts";
import { readWanted } from "./supervisor/config-backup/wanted-config.ts";
import { OldFolders } from "./supervisor/database-reset/old-folders.ts";
import { Bridge } from "./supervisor/network/bridge.ts";
import { claimBridges, isEnginesBridge } from "./supervisor/network/bridge-ownership.ts";
import { settingsFile, WrittenSettings } from "./supervisor/prepare/written-settings.ts";

const log = silentLogger;
const layout = { database: "database", networks: "networks", images: "images" };

/** Each file below the state folder, and a use of it that reads it. Of lxd.reset.json see database-reset.test.ts. */
const uses: Readonly<Record<string, (state: string) => Promise<unknown>>> = {
  "bridge.json": (state) =>
    new Bridge({ name: "lo", stateFolder: state, engineFolder: join(state, "lxd"), log })
      .check(undefined)
      .catch(() => undefined),
  "lxd.bridges.json": async (state) => {
    await isEnginesBridge(join(state, "lxd"), "lo", log);
    await claimBridges(join(state, "lxd"), ["lo"], log);
  },
  "lxd.setup.json": (state) => readConfigBackup(join(state, "lxd"), log),
  "lxd.wanted.json": (state) => readWanted(join(state, "lxd"), log),
  "lxd.missing.json": (state) => readStillMissing(join(state, "lxd"), log),
  "lxd.kept.json": (state) => new OldFolders(join(state, "lxd"), layout as never, log).kept([]),
  "lxd.settings.json": async (state) => {
    const file = settingsFile(join(state, "lxd"));
    const settings = await WrittenSettings.open({ file, deferred: false, log });
    await settings.confirm({ server: { a: "1" } });
  },
  "usb.json": (state) => UsbAssignments.open(join(state, "usb.json"), log),
  "daemon-id": (state) => openStateFolder(state, log),
  "journal/0011.json": async (state) => (await Journal.open(join(state, "journal"), log)).entries(),
  "refused/0011.json": async (state) => {
    const queue = { send: () => assert.fail("a damaged notice was sent") };
    const rejected = { folder: join(state, "refused"), queue, clock: new ManualClock(), log };
    await (await RejectedNotices.open(rejected)).sendAgain(new Set());
  },
};

for (const [name, use] of Object.entries(uses)) {
  test(`whatever is in ${name}, it is set aside unchanged and the work goes on`, async () => {
    for (const [kind, content] of Object.entries(damagedContents)) {
      await using folder = await temporaryFolder();
      const file = join(folder.path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      await use(folder.path);
      assert.deepEqual(await readFile(`${file}.unreadable`), content, kind);
      await use(folder.path);
    }
  });
}

test("a daemon starts whatever is in its files, and its status names what it set aside", async () => {
  for (const [kind, content] of Object.entries(damagedContents)) {
    await using folder = await temporaryFolder();
    const state = join(folder.path, "state");
    for (const name of ["usb.json", "running.json", "daemon-id", "journal/0011.json", "refused/0022.json"]) {
      await mkdir(dirname(join(state, name)), { recursive: true });
      await writeFile(join(state, name), content);
    }
    const address = { kind: "unix", path: join(folder.path, "guest.sock") } as const;
    const logged: string[] = [];
    const error = ({ kept, path }: { kept?: string; path?: string }) => void logged.push(kept ?? path ?? "");
    const watched = Object.assign(Object.create(silentLogger), {
      error,
      child: () => silentLogger,
    }) as Logger;
    const options = { ...daemonDefaults, listen: [address], state, shared: join(state, "shared") };
    const engine = `unix:${join(folder.path, "no-engine.sock")}`;
    const host = { kind: "unix", path: join(folder.path, "host.sock") } as const;
    await using _daemon = await Daemon.start(
      { ...options, host, engine },
      { clock: systemClock, log: watched },
    );
    using connection = dial(address);
    const { setAsideRecords } = await createClient(Guest, connection.transport).getStatus({});
    const named = setAsideRecords.map(({ path }) => path.slice(state.length + 1)).sort();
    const expected = ["daemon-id.unreadable", "journal/0011.json.unreadable", "refused/0022.json.unreadable"];
    assert.deepEqual(named, [...expected, "usb.json.unreadable"], kind);
    for (const { path, reason } of setAsideRecords) {
      assert.ok(logged.includes(path), path);
      assert.notEqual(reason, "");
    }
  }
});

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Browser } from "playwright-core";
import { MAX_POINTS } from "../../src/console/model/usage-history.ts";
import { ConsoleBrowser } from "./console-browser.ts";
import type { MemoryGuest } from "./memory-guest.ts";

const MIB = 1024 ** 2;
const STEP_MS = 2_000;

/** What a container of the example is like. */
interface Example {
  readonly state: "running" | "stopped";
  readonly image: string;
  readonly ipv4Address?: string;
  /** Percent of a processor, MiB, KiB a second: at rest, and how much more at most. */
  readonly processor?: readonly [number, number];
  readonly memory?: readonly [number, number];
  readonly network?: readonly [number, number];
}

const local: Readonly<Record<string, Example>> = {
  "build-server": {
    state: "running",
    image: "Debian trixie amd64",
    ipv4Address: "10.71.4.21",
    processor: [35, 110],
    memory: [1400, 700],
    network: [20, 240],
  },
  notes: {
    state: "running",
    image: "Debian bookworm amd64",
    ipv4Address: "10.71.4.22",
    processor: [2, 6],
    memory: [180, 12],
    network: [1, 9],
  },
  penguin: {
    state: "running",
    image: "Debian bookworm amd64",
    ipv4Address: "10.71.4.20",
    processor: [6, 40],
    memory: [620, 240],
    network: [30, 900],
  },
  "old-website": { state: "stopped", image: "Debian bullseye amd64" },
};

const lab: Readonly<Record<string, Example>> = {
  "router-tests": {
    state: "running",
    image: "Debian trixie amd64",
    ipv4Address: "10.80.9.14",
    processor: [12, 25],
    memory: [96, 30],
    network: [180, 400],
  },
};

const debugText = `== daemon
version 0.1.0, site generic
up since 2026-11-30T08:12:44.021Z, Node v22.22.0, 86163456 bytes of memory
under way: export of notes, for 82 s
0 notices wait for the host

== engine
running: lxd 5.0.2, kernel 6.1.0-28-amd64, storage btrfs dir

== container penguin
RUNNING, created 2026-10-21T11:15:02Z, last started 2026-11-30T08:13:10Z
under way: nothing
privileged: no
it has no lxc.log
`;

/** A console with two guests that have worked for a while, as a person would see it. */
export async function openExample(
  stack: AsyncDisposableStack,
  browser: Browser,
  options: Parameters<typeof ConsoleBrowser.open>[2],
): Promise<ConsoleBrowser> {
  const at = await ConsoleBrowser.open({ after: (end) => stack.defer(end) }, browser, options, "local");
  fill(at.guest, local);
  fill(await at.addGuest(stack, "lab"), lab);
  await work(at.guest);
  await at.page.clock.install();
  await at.signIn();
  for (let point = 0; point <= MAX_POINTS; point++) {
    const answered = at.page.waitForResponse(/ListContainers/);
    await at.page.clock.runFor(STEP_MS);
    await answered;
  }
  await at.page.clock.resume();
  return at;
}

function fill(guest: MemoryGuest, examples: Readonly<Record<string, Example>>): void {
  const began = Date.now() - 40 * 24 * 3_600_000;
  for (const [name, { state }] of Object.entries(examples)) guest.containers.set(name, state);
  guest.debugText = debugText;
  guest.settings.disk = "20GiB";
  guest.snapshots.add("penguin/before-experiment").add("penguin/tremplin-upgrade-7f");
  guest.ports.start("penguin");
  guest.ports.listen("penguin", 3000);
  guest.ports.listen("penguin", 8080);
  guest.fieldsOf = (name) => {
    const { image, ipv4Address = "", ...use } = examples[name] as Example;
    return {
      ...{ image, ipv4Address },
      createdAt: timestampFromMs(began),
      hasRollbackSnapshot: name === "penguin",
      ...(use.processor && { usage: usageAt(guest.lists, name, use) }),
    };
  };
}

/** The counters after some steps of a load that comes and goes. */
function usageAt(steps: number, name: string, { processor, memory, network }: Omit<Example, "image">) {
  let [nanoseconds, bytes] = [0, 0];
  for (let step = 0; step < steps; step++) {
    nanoseconds += (loadAt(step, name, processor) / 100) * STEP_MS * 1e6;
    bytes += (loadAt(step * 1.7 + 5, name, network) * 1024 * STEP_MS) / 1000;
  }
  return {
    measuredAt: timestampFromMs(1_700_000_000_000 + steps * STEP_MS),
    cpuNanoseconds: BigInt(Math.round(nanoseconds)),
    memoryBytes: BigInt(Math.round(loadAt(steps / 3, name, memory) * MIB)),
    memoryLimitBytes: BigInt(4096 * MIB),
    processes: 31,
    receivedBytes: BigInt(Math.round(bytes)),
  };
}

function loadAt(step: number, name: string, [rest, more]: readonly [number, number] = [0, 0]): number {
  // Bursts and small ones, different ones for each container and kind of load.
  const phase = (name.length * 7 + (name.codePointAt(0) ?? 0) + rest) % 40;
  const burst = Math.max(0, Math.sin(step / 5 + phase) * Math.sin(step / 13 + phase * 2));
  const ripple = 0.5 + 0.3 * Math.sin(step / 2.3 + phase) + 0.2 * Math.sin(step * 1.1 + phase * 3);
  return rest + more * (0.75 * burst + 0.25 * ripple);
}

/** A history, and something that goes on. */
async function work(guest: MemoryGuest): Promise<void> {
  await guest.notify("updateCreateStatus", { containerName: "build-server", status: 2 }, "op-1");
  await guest.notify("updateStartStatus", { containerName: "build-server", status: 1 }, "op-2");
  await guest.notify("updateStartStatus", { containerName: "penguin", status: 1 }, "op-3");
  await guest.notify(
    "updateExportStatus",
    {
      containerName: "old-website",
      status: 2,
      failureReason:
        "there is no space left on the disk of the shared folder: free 1.2 GiB, or write the backup to another place",
    },
    "op-4",
  );
  await guest.notify("updateStopStatus", { containerName: "old-website", status: 1 }, "op-5");
  guest.gate = new Promise(() => undefined);
  guest.begin("export", "notes", async () => {
    const total = { totalInputFiles: 19_877, totalInputBytes: BigInt(740 * MIB) };
    const done = { inputFilesStreamed: 8_211, inputBytesStreamed: BigInt(312 * MIB) };
    const progress = { ...total, ...done, bytesExported: BigInt(140 * MIB) };
    await guest.notify("updateExportStatus", { containerName: "notes", status: 7, ...progress });
    await guest.gate;
  });
}

import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../src/cli/program.ts";
import { formatAddress } from "../src/transport/address.ts";
import { RecordedIo } from "../test/support/command-line.ts";
import type { TestDaemon } from "../test/support/daemon.ts";
import { hostOf } from "../test/support/host-of.ts";
import { engineCommand } from "../test/support/in-container.ts";
import { createTiny, launchedDaemon, startContainer } from "../test/support/tiny-container.ts";
import { median, ms, printTable, ROUNDS, type Row, time } from "./measure.ts";

const FILES = 10_000;
const LARGE_BYTES = 1_000_000_000;

/** Prints how long `tremplin cp` takes through host and daemon, beside `lxc file push` and `pull` of the same. */
export async function benchCopies(): Promise<void> {
  await using daemon = await launchedDaemon();
  await createTiny(daemon, "copied");
  await startContainer(daemon, "copied");
  await using host = await hostOf(daemon);
  const folder = await mkdtemp(join(tmpdir(), "bench-copies-"));
  const cp = async (from: string, to: string): Promise<void> => {
    const io = new RecordedIo();
    const code = await run(["cp", from, to, "--json", "--host", formatAddress(host.address)], io);
    if (code !== 0) throw new Error(io.stderr);
  };
  try {
    await makeFiles(folder);
    printTable([
      ...(await measure(daemon, folder, cp, "large", "1 GB")),
      ...(await measure(daemon, folder, cp, "many", `${FILES} files`)),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeFiles(folder: string): Promise<void> {
  await using large = await open(join(folder, "large"), "w");
  const chunk = Buffer.alloc(1_000_000, "0123456789");
  for (let bytes = 0; bytes < LARGE_BYTES; bytes += chunk.length) await large.writeFile(chunk);
  await mkdir(join(folder, "many"));
  for (let number = 0; number < FILES; number++) {
    await writeFile(join(folder, "many", `f${number}`), `${number}\n`.repeat(100));
  }
}

/** Alternating, so that both meet the same machine. */
async function measure(
  daemon: TestDaemon,
  folder: string,
  cp: (from: string, to: string) => Promise<void>,
  name: string,
  what: string,
): Promise<Row[]> {
  const [path, back] = [join(folder, name), join(folder, "back")];
  const times = { into: [] as number[], push: [] as number[], out: [] as number[], pull: [] as number[] };
  const engine = (...words: string[]) => engineCommand(daemon, "file", ...words);
  for (let round = 0; round < ROUNDS; round++) {
    times.into.push(await time(() => cp(path, `copied:/srv/ours${round}/`)));
    times.push.push(await time(() => engine("push", "-r", "-p", path, `copied/srv/theirs${round}/`)));
    times.out.push(await time(() => cp(`copied:/srv/ours${round}/${name}`, `${back}/`)));
    await rm(back, { recursive: true });
    await mkdir(back);
    times.pull.push(await time(() => engine("pull", "-r", `copied/srv/ours${round}/${name}`, back)));
    await rm(back, { recursive: true });
    await engineCommand(
      daemon,
      "exec",
      "copied",
      "--",
      "rm",
      "-rf",
      `/srv/ours${round}`,
      `/srv/theirs${round}`,
    );
  }
  const row = (direction: string, ours: number[], theirs: number[], command: string): Row => [
    `cp of ${what} ${direction} a container`,
    `${(median(ours) / median(theirs)).toFixed(2)} x, ${ms(median(ours))}`,
    `${ms(median(theirs))} with lxc file ${command}`,
    "",
  ];
  return [row("into", times.into, times.push, "push"), row("out of", times.out, times.pull, "pull")];
}

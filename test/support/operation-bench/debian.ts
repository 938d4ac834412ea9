import type { Command, Executed } from "../memory-engine/exec.ts";
import type { InstanceRecord } from "../memory-engine/instance-record.ts";
import { OperationBench } from "../operation-bench.ts";

const versions = { bullseye: "11", bookworm: "12", trixie: "13" } as const;
type Codename = keyof typeof versions;

const accounts = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nkim:x:1000:1000:Kim:/home/kim:/bin/sh\n",
  "/etc/group": "root:x:0:\nkim:x:1000:\n",
  "/etc/shadow": "root:*:19000:0:99999:7:::\nkim:!:19000:0:99999:7:::\n",
};

const estimate =
  "Need to get 120 MB of archives.\nAfter this operation, 30 MB of additional disk space will be used.\n";

/** Decides the outcome of a program in the container; undefined for the usual one. */
export type Override = (
  words: string,
  command: Command,
) => Executed | undefined | Promise<Executed | undefined>;

/** A bench with a running container c1 of Debian 11, whose apt upgrades it to what its sources name. */
export async function debianBench(override: Override = () => undefined): Promise<OperationBench> {
  const bench = await OperationBench.open();
  await bench.actions.create("c1");
  const { files } = bench.engine.instance("c1");
  for (const [path, text] of Object.entries(accounts)) files.write(path, text);
  files.write("/home/kim/.profile", "");
  files.write("/etc/apt/sources.list", "deb https://deb.debian.org/debian bullseye main\n");
  writeRelease(bench.engine.instance("c1"), "bullseye");
  await bench.actions.act("c1", "start");
  bench.engine.execute = async (command) => {
    const words = command.command.join(" ");
    return (await override(words, command)) ?? usual(words, command);
  };
  return bench;
}

/** A bench with a container c1 as upgrades left it, each of which took a snapshot under the id of its operation. */
export async function upgradedBench(releases: readonly Codename[] = ["bookworm"]): Promise<OperationBench> {
  const bench = await debianBench();
  const c1 = bench.engine.instance("c1");
  const { config } = c1;
  for (const [index, codename] of releases.entries()) {
    const id = `000000000000000${index}`;
    c1.config = { ...config, "user.tremplin.operation": id };
    await bench.actions.snapshot("c1", `tremplin-upgrade-${id}`);
    c1.config = config;
    writeRelease(c1, codename);
    await bench.actions.act("c1", "restart");
  }
  return bench;
}

/** The release of a container by its number. */
function releaseOf({ engine }: OperationBench, name = "c1"): string | undefined {
  return /VERSION_ID="(\d+)"/.exec(engine.instance(name).files.read("/etc/os-release") ?? "")?.[1];
}

/** All that an upgrade, or its rollback, leaves in the engine. */
export function leftOf(bench: OperationBench, name = "c1") {
  const { status, config, snapshots } = bench.engine.instance(name);
  return {
    status,
    release: releaseOf(bench, name),
    mark: config["user.tremplin.operation"],
    snapshots: snapshots.map((snapshot) => snapshot.name),
  };
}

function usual(words: string, { instance }: Command): Executed {
  if (words.startsWith("stat ")) return { stdout: "1000000 4096\n".repeat(3) };
  if (words.startsWith("sh -c [ ")) return { exitCode: 1 };
  if (!/ dist-upgrade( |$)/.test(words)) return {};
  if (words.includes("--simulate")) return { stdout: planOf(words) };
  if (words.includes("--assume-no")) return { stdout: estimate };
  const sources = instance.files.read("/etc/apt/sources.list") ?? "";
  const codename = (Object.keys(versions) as Codename[]).find((each) => sources.includes(` ${each} `));
  if (codename) writeRelease(instance, codename);
  return { stdout: "Setting up base-files ...\n" };
}

/** The steps of apt's upgrade to the last release in the name of the folder with its sources. */
function planOf(words: string): string {
  const codename = /sources\/(?:[a-z]+-)*([a-z]+) /.exec(words)?.[1] as Codename;
  return `Inst base-files [1] (${versions[codename]}.1 Debian:${codename} [amd64])\n`;
}

function writeRelease({ files }: InstanceRecord, codename: Codename): void {
  const version = versions[codename];
  files.write(
    "/etc/os-release",
    `PRETTY_NAME="Debian ${version}"\nNAME="Debian"\nID=debian\nVERSION_ID="${version}"\n`,
  );
}

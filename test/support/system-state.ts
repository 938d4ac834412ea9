import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

export const execute = promisify(execFile);

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Living processes whose command line or environment has the text. Not the caller, and no zombie. */
export async function processesWith(text: string): Promise<Process[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(pids.map((pid) => processWith(pid, text)));
  return found.filter((each) => each !== undefined);
}

async function processWith(pid: number, text: string): Promise<Process | undefined> {
  const [command, environment, stat] = await Promise.all(
    ["cmdline", "environ", "stat"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
  );
  if (!command?.includes(text) && !environment?.includes(text)) return undefined;
  const [state, parent] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  if (state === undefined || state === "Z") return undefined;
  return { pid, parent: Number(parent), command: command?.replaceAll("\0", " ").trim() ?? "" };
}

export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Mount points whose path or source begins with the text, the newest first: the order to unmount them in. */
export async function mountsUnder(text: string): Promise<string[]> {
  const lines = (await readFile("/proc/self/mounts", "utf8")).trim().split("\n");
  return lines
    .map((line) => line.split(" ").map(unescapeOctal))
    .filter(([source, target]) => source?.startsWith(text) || target?.startsWith(text))
    .map(([, target]) => target ?? "")
    .reverse();
}

/** The kernel writes a space in a path as \040. */
function unescapeOctal(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Loop devices, /dev/loopN, whose file's path begins with the text. */
export async function loopDevicesOf(text: string): Promise<string[]> {
  const names = (await readdir("/sys/block")).filter((name) => name.startsWith("loop"));
  const files = names.map((name) => readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => ""));
  const backing = await Promise.all(files);
  return names.filter((_, index) => backing[index]?.startsWith(text)).map((name) => `/dev/${name}`);
}

/** Network interfaces whose name begins with the text. */
export async function interfacesLike(text: string): Promise<string[]> {
  return (await readdir("/sys/class/net")).filter((name) => name.startsWith(text));
}

/** Interfaces that are plugged into a bridge. */
export async function portsOf(bridge: string): Promise<string[]> {
  return await readdir(`/sys/class/net/${bridge}/brif`).catch(() => []);
}

export interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

/** Firewall chains that an engine made for a bridge whose name begins with the text. */
export async function chainsOf(bridge: string): Promise<Chain[]> {
  const { stdout } = await execute("nft", ["--json", "list", "chains"]);
  const { nftables } = JSON.parse(stdout) as { nftables: { chain?: Chain }[] };
  return nftables.flatMap(({ chain }) => (chain?.name.includes(`.${bridge}`) ? [chain] : []));
}

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import * as z from "zod";
import { replaceFile } from "../../base/durable-file.ts";
import { findDnsmasq } from "./bridge-dnsmasq.ts";

const execute = promisify(execFile);

/** The interfaces that an engine made, by name: an index tells one from another of the same name until a reboot. */
const claimsSchema = z.object({ boot: z.string(), indexes: z.record(z.string(), z.string()) });

/** Records that the interfaces of these names, as they are now, are the engine's. The file is beside its folder. */
export async function claimBridges(engineFolder: string, names: readonly string[]): Promise<void> {
  const found = await Promise.all(names.map(async (name) => [name, await interfaceIndex(name)] as const));
  const indexes = Object.fromEntries(found.filter(([, index]) => index !== undefined));
  const claims = JSON.stringify({ boot: await bootId(), indexes });
  const before = await readFile(fileOf(engineFolder), "utf8").catch(() => "");
  if (before !== claims) await replaceFile(fileOf(engineFolder), claims);
}

/**
 * Whether the interface of that name was made by the engine of that folder: by the record, or, when it was killed
 * before that was written, by its dnsmasq, which listens on the interface itself and not on one that had its name.
 */
export async function isEnginesBridge(engineFolder: string, name: string): Promise<boolean> {
  const index = await interfaceIndex(name);
  if (index === undefined) return false;
  const claims = await readClaims(engineFolder);
  if (claims?.boot === (await bootId()) && claims.indexes[name] === index) return true;
  const dnsmasq = await findDnsmasq(engineFolder, name);
  return dnsmasq !== undefined && (await listensOn(dnsmasq, name));
}

/** The number of an interface; undefined when there is none of that name. */
export async function interfaceIndex(name: string): Promise<string | undefined> {
  return readFile(`/sys/class/net/${name}/ifindex`, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

export async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

async function listensOn(pid: number, name: string): Promise<boolean> {
  const { stdout } = await execute("ss", ["--no-header", "--udp", "--listening", "--numeric", "--processes"]);
  return stdout.split("\n").some((line) => line.includes(`%${name}:`) && line.includes(`,pid=${pid},`));
}

async function readClaims(engineFolder: string): Promise<z.infer<typeof claimsSchema> | undefined> {
  try {
    return claimsSchema.parse(JSON.parse(await readFile(fileOf(engineFolder), "utf8")));
  } catch {
    // Without a record less is the engine's, which is safe.
    return undefined;
  }
}

function fileOf(engineFolder: string): string {
  return `${engineFolder}.bridges.json`;
}

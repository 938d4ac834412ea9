import { readdir, readFile } from "node:fs/promises";
import * as z from "zod";
import { textIfReadable } from "../../../base/files/files.ts";
import { type ErrorLog, JsonFile } from "../../../base/files/json-file.ts";
import { bootId } from "../../../base/processes/process-info.ts";
import { runProgram } from "../../../base/processes/run-program.ts";
import { flavors } from "../../../engine/flavors/flavors.ts";
import { networksOnDisk } from "../../../engine/storage/local-paths.ts";
import { findDnsmasq } from "./bridge-dnsmasq.ts";

/** The interfaces that an engine made, by name. Until a reboot the index identifies an interface; names are reused. */
const claimsSchema = z.object({
  boot: z.string(),
  indexes: z.record(z.string(), z.string()),
  /** The highest index of an interface at the last start of the engine: indexes only grow. */
  newest: z.number().optional(),
});

/** Records that the interfaces of these names, as they are now, are the engine's. The file is beside its folder. */
export async function claimBridges(
  engineFolder: string,
  names: readonly string[],
  log: ErrorLog,
): Promise<void> {
  const found = await Promise.all(names.map(async (name) => [name, await interfaceIndex(name)] as const));
  const indexes = Object.fromEntries(found.flatMap(([name, index]) => (index ? [[name, index]] : [])));
  const before = await claimsFile(engineFolder).readOrSetAside(log);
  const boot = bootId();
  const newest = before?.boot === boot ? before.newest : undefined;
  await claimsFile(engineFolder).writeIfChanged({ boot, indexes, newest });
}

/**
 * Records the newest interface before an engine is started: the engine makes none that is older. Bridges that an
 * earlier engine of the same folder made stay the engine's.
 */
export async function noteNewestInterface(engineFolder: string, log: ErrorLog): Promise<void> {
  const its: string[] = [];
  for (const name of await networksOnDisk(engineFolder)) {
    if (await isEnginesBridge(engineFolder, name, log)) its.push(name);
  }
  await claimBridges(engineFolder, its, log);
  const before = await claimsFile(engineFolder).readOrSetAside(log);
  const boot = bootId();
  const names = await readdir("/sys/class/net");
  const indexes = await Promise.all(names.map(interfaceIndex));
  const newest = Math.max(...indexes.map((index) => Number(index ?? 0)));
  const indexesBefore = before?.boot === boot ? before.indexes : {};
  await claimsFile(engineFolder).writeIfChanged({ boot, indexes: indexesBefore, newest });
}

/**
 * Whether the engine of that folder made the interface of that name. The record says so; where the engine was killed
 * before it was written, its dnsmasq listens on this very interface, or the interface is newer than the engine's start
 * and has a MAC address that engines give.
 */
export async function isEnginesBridge(engineFolder: string, name: string, log: ErrorLog): Promise<boolean> {
  const index = await interfaceIndex(name);
  if (index === undefined) return false;
  const claims = await claimsFile(engineFolder).readOrSetAside(log);
  if (claims?.boot === bootId()) {
    if (claims.indexes[name] === index) return true;
    const isNewer = claims.newest !== undefined && Number(index) > claims.newest;
    const address = await addressOf(name);
    if (isNewer && flavors.some(({ api }) => address.startsWith(`${api.macPrefix}:`))) return true;
  }
  const dnsmasq = await findDnsmasq(engineFolder, name);
  return dnsmasq !== undefined && (await listensOn(dnsmasq, name));
}

/** The index of an interface; undefined when there is none of that name. */
export async function interfaceIndex(name: string): Promise<string | undefined> {
  return readFile(`/sys/class/net/${name}/ifindex`, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

async function addressOf(name: string): Promise<string> {
  return await textIfReadable(`/sys/class/net/${name}/address`);
}

async function listensOn(pid: number, name: string): Promise<boolean> {
  const sockets = await runProgram("ss", ["--no-header", "--udp", "--listening", "--numeric", "--processes"]);
  return sockets.split("\n").some((line) => line.includes(`%${name}:`) && line.includes(`,pid=${pid},`));
}

/** Without it fewer interfaces count as the engine's, which is safe. */
function claimsFile(engineFolder: string) {
  return new JsonFile({
    path: `${engineFolder}.bridges.json`,
    schema: claimsSchema,
    without: "the engine's bridges are recognised by its dnsmasq, and written down again",
  });
}

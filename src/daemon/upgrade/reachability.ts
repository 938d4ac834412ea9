import { isIP } from "node:net";
import { displayText } from "../guest/lossless-text.ts";
import { parseAptUri } from "../mirrors/apt-uri.ts";
import type { ContainerExec } from "./container-exec.ts";
import { enabledSources, type SourceFile } from "./source-files.ts";

/** Seconds in which a name must be resolved. */
const LOOKUP_TIMEOUT_S = 10;
/** Bounds what a container can make us ask for. */
const MAX_NAMES = 8;
const NAME = /^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){1,8}$/;

/**
 * The names by which a container's resolver is tested: its mirrors, their proxies, and its own in the domains that it
 * searches, which the bridge knows without any other network.
 */
export async function namesToResolve(
  exec: ContainerExec,
  sources: readonly SourceFile[],
): Promise<readonly string[]> {
  const uris = sources.flatMap(enabledSources).flatMap((source) => source.uris.map(displayText));
  const proxies = await exec.capture([
    ...["apt-config", "dump", "--format", "%v%n"],
    ...["Acquire::http::Proxy", "Acquire::https::Proxy"],
  ]);
  const servers = [...uris, ...proxies.stdout.split("\n")].map((uri) => parseAptUri(uri).host);
  const { stdout } = await exec.capture(["cat", "/etc/resolv.conf"]);
  const domains = [...stdout.matchAll(/^(?:search|domain)[ \t]+(.*)$/gm)].flatMap((line) =>
    (line[1] ?? "").trim().split(/\s+/),
  );
  const names = [...servers, ...domains.map((domain) => `${exec.container}.${domain}`)];
  return [...new Set(names)].filter((name) => NAME.test(name) && isIP(name) === 0).slice(0, MAX_NAMES);
}

/** Those of the names that the container can resolve. */
export async function resolvedNames(exec: ContainerExec, names: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(
    names.map((name) => exec.capture(["timeout", String(LOOKUP_TIMEOUT_S), "getent", "ahosts", name])),
  );
  return names.filter((_, index) => answers[index]?.exitCode === 0);
}

/** Kinds of addresses of its network cards, and kinds of default routes: "the IPv4 address of eth0". */
export async function readConnections(exec: ContainerExec): Promise<string[]> {
  const { network } = await exec.engine.instances.state(exec.container, { signal: exec.signal });
  // Only cards of the engine: what programs inside add (docker0) is no connection.
  const cards = Object.entries(network ?? {}).filter(([, { host_name = "" }]) => host_name !== "");
  const addresses = cards.flatMap(([card, state]) =>
    (state.addresses ?? [])
      .filter(({ scope }) => scope === "global")
      .map(({ family }) => `the ${family === "inet" ? "IPv4" : "IPv6"} address of ${card}`),
  );
  return [...new Set([...addresses, ...(await readDefaultRoutes(exec))])];
}

async function readDefaultRoutes(exec: ContainerExec): Promise<string[]> {
  const [routes4, routes6] = await Promise.all(
    ["/proc/net/route", "/proc/net/ipv6_route"].map((path) => exec.capture(["cat", path])),
  );
  return [
    ...(hasDefaultRoute4(routes4?.stdout ?? "") ? ["the IPv4 default route"] : []),
    ...(hasDefaultRoute6(routes6?.stdout ?? "") ? ["the IPv6 default route"] : []),
  ];
}

/** Of /proc/net/route: interface, destination, gateway, flags ... mask in the eighth column. */
export function hasDefaultRoute4(text: string): boolean {
  return text.split("\n").some((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[1] === "00000000" && fields[7] === "00000000";
  });
}

/** Of /proc/net/ipv6_route: destination, its prefix ... interface. Unreachable ones are those of lo. */
export function hasDefaultRoute6(text: string): boolean {
  return text.split("\n").some((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[0] === "0".repeat(32) && fields[1] === "00" && fields[9] !== "lo";
  });
}

/** The ports on which its ssh server is meant to listen, and does. */
export async function readSshPorts(exec: ContainerExec): Promise<number[]> {
  const { stdout } = await exec.capture(["sshd", "-T"]);
  const ports = [...stdout.matchAll(/^port (\d{1,5})$/gim)].map((line) => Number(line[1]));
  if (ports.length === 0) return [];
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => exec.capture(["cat", path])),
  );
  const listening = new Set(tables.flatMap(({ stdout: table }) => listeningPorts(table)));
  return [...new Set(ports)].filter((port) => listening.has(port));
}

/** Of /proc/net/tcp: number, local address and port, remote ones, state (0A: listening) ... */
export function listeningPorts(text: string): number[] {
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const port = /:([0-9A-F]{4})$/.exec(local)?.[1];
    return state === "0A" && port !== undefined ? [Number.parseInt(port, 16)] : [];
  });
}

import { readFile } from "node:fs/promises";
import { BlockList, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { TremplinError } from "../../base/tremplin-error.ts";

/** An address of its own with the length of its network's prefix, as a bridge has it: 100.115.92.193/28. */
export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

/** Reads `A.B.C.D/N`. The address is the bridge's own, so it must be neither the first nor the last. */
export function parseSubnet(text: string): Subnet {
  const [address = "", length = ""] = text.split("/");
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : Number.NaN;
  const host = isIPv4(address) ? toNumber(address) & hostMask(prefix) : 0;
  if (!(prefix >= 8 && prefix <= 30) || host === 0 || host >>> 0 === hostMask(prefix)) {
    throw new TremplinError(
      "invalid",
      `"${text}" is not the address of a bridge with its prefix length (8 to 30), for example 100.115.92.193/28`,
    );
  }
  return { address, prefix };
}

export function formatSubnet({ address, prefix }: Subnet): string {
  return `${address}/${prefix}`;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  const list = new BlockList();
  const prefix = Math.min(a.prefix, b.prefix);
  list.addSubnet(a.address, prefix, "ipv4");
  return list.check(b.address, "ipv4");
}

/** What of the IPv4 address space this machine uses already: addresses of interfaces and routes, with their interface. */
export async function usedSubnets(): Promise<(Subnet & { readonly interface: string })[]> {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, entries = []]) =>
    entries
      .filter(({ family, cidr }) => family === "IPv4" && cidr)
      .map(({ address, cidr }) => ({ interface: name, address, prefix: Number(cidr?.split("/")[1]) })),
  );
  const table = await readFile("/proc/net/route", "utf8").catch(() => "");
  const routes = table
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter((fields) => fields.length > 7 && fields[1] !== "00000000")
    .map((fields) => ({
      interface: fields[0] ?? "",
      address: fromLittleEndian(fields[1] ?? ""),
      prefix: bits(Number.parseInt(fields[7] ?? "0", 16)),
    }));
  return [...addresses, ...routes];
}

/**
 * A subnet that nothing here uses: the first of 100.115.92.192/28 and its followers, the range that hosts in
 * the field give their containers (it is meant for what stays inside a machine).
 */
export function freeSubnet(used: readonly Subnet[]): Subnet {
  for (let block = 0; block < 256; block++) {
    const base = toNumber("100.115.92.192") + block * 16;
    const subnet = { address: toText(base + 1), prefix: 28 };
    if (!used.some((other) => overlaps(subnet, other))) return subnet;
  }
  throw new TremplinError("failed", "no IPv4 subnet is free for the bridge: give one with --lxd-subnet");
}

function hostMask(prefix: number): number {
  return 2 ** (32 - prefix) - 1;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

function fromLittleEndian(hex: string): string {
  return (hex.match(/../g) ?? [])
    .reverse()
    .map((octet) => Number.parseInt(octet, 16))
    .join(".");
}

function bits(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}

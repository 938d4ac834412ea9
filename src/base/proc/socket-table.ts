import { ProcFile } from "./proc-file.ts";

/**
 * The kernel fills each page with whole lines: a page with less than this is the last one. Reading on until the
 * end would make the kernel walk all sockets of the machine again, which is most of the cost of a small table.
 */
const LAST_PAGE = 4096 - 256;
/** A line of a socket in any state but LISTEN. */
const CONNECTION = /^ *\d+: \S+ \S+ (?!0A )/;

/**
 * The listening ports in a table such as /proc/PID/net/tcp, one page at a time, so that the caller can yield in
 * between. The kernel lists the listening sockets first: the connections after them are not read.
 */
export function* readSocketTable(path: string): Generator<readonly number[], void, void> {
  using file = new ProcFile(path);
  for (let rest = ""; ; ) {
    const page = file.next();
    const text = rest + page;
    const end = text.lastIndexOf("\n") + 1;
    yield listeningPorts(text.slice(0, end));
    const lastLine = text.slice(text.lastIndexOf("\n", end - 2) + 1, end);
    if (page.length < LAST_PAGE || CONNECTION.test(lastLine)) return;
    rest = text.slice(end);
  }
}

/** State LISTEN, in the hexadecimal digits of /proc/net/tcp. */
const listening = "0A";

/*
 * "sl: local:port remote:port state ...". Addresses are hexadecimal 32-bit words in the byte order of the
 * machine, little-endian on all supported ones: 127.0.0.1 is 0100007F. Every repetition is bounded, so that
 * no line can make the match slow.
 */
const socket = /^ {0,12}\d{1,12}: ([0-9A-F]{8,32}):([0-9A-F]{4}) [0-9A-F]{8,32}:[0-9A-F]{4} ([0-9A-F]{2}) /;

/**
 * The ports that can be reached over loopback, sorted and unique, from the text of /proc/PID/net/tcp and
 * tcp6 (docs/contract.md#listening-ports): TCP listeners bound to a loopback or the unspecified address, including IPv4 ones
 * in IPv6 form. Lines that describe no socket are skipped: no input makes this fail. Takes linear time.
 */
export function listeningPorts(...tables: string[]): number[] {
  const ports = new Set<number>();
  for (const table of tables) {
    for (let start = 0; start < table.length; ) {
      const newline = table.indexOf("\n", start);
      const end = newline < 0 ? table.length : newline;
      const [, address = "", port = "", state] = socket.exec(table.slice(start, end)) ?? [];
      if (state === listening && isReachedOverLoopback(address)) ports.add(Number.parseInt(port, 16));
      start = end + 1;
    }
  }
  ports.delete(0);
  return [...ports].sort((a, b) => a - b);
}

function isReachedOverLoopback(address: string): boolean {
  if (address.length === 8) return isLoopbackOrAny4(address);
  if (address.length !== 32) return false;
  if (address === "0".repeat(32) || address === "00000000000000000000000001000000") return true;
  return address.startsWith("0000000000000000FFFF0000") && isLoopbackOrAny4(address.slice(24));
}

function isLoopbackOrAny4(address: string): boolean {
  return address === "00000000" || address.endsWith("7F");
}

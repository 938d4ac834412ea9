import { ProcFile } from "./proc-file.ts";
import { listeningPorts } from "./proc-net-tcp.ts";

/**
 * The kernel fills each page with whole lines as far as they fit: with less than this in it a page is the last
 * one. To ask for the end itself would make the kernel walk all sockets of the machine once more, which is
 * most of what reading a small table costs.
 */
const LAST_PAGE = 4096 - 256;
/** A line that tells of a socket in any state but LISTEN. */
const CONNECTION = /^ *\d+: \S+ \S+ (?!0A )/;

/**
 * The ports in a table such as /proc/PID/net/tcp, a page at a time, so that whoever reads can do something
 * else in between, however long it is. The kernel lists the listening sockets first: the connections behind
 * them are not read.
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

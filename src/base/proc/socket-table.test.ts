import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { inLinearTime } from "../../../test/support/in-linear-time.ts";
import { listeningPorts, readSocketTable } from "./socket-table.ts";

async function listener(t: TestContext, host: string): Promise<number> {
  const server = createServer().listen(0, host);
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("a table of the kernel that is longer than a page is read whole", async (t) => {
  const opened = await Promise.all(Array.from({ length: 200 }, () => listener(t, "127.0.0.1")));
  const pieces = [...readSocketTable("/proc/self/net/tcp")];
  assert.ok(pieces.length > 1);
  const found = new Set(pieces.flat());
  assert.deepEqual(
    opened.filter((port) => !found.has(port)),
    [],
  );
});

test("lines that a page cuts are put together, and what follows the listeners is not read", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "table-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "tcp");
  const line = (port: number, state: string) =>
    `${String(port).padStart(5)}: 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 ${state} rest\n`;
  const listeners = Array.from({ length: 2_000 }, (_, index) => 1_000 + index);
  const connections = Array.from({ length: 2_000 }, () => line(80, "01")).join("");
  const text = listeners.map((port) => line(port, "0A")).join("") + connections + line(9_999, "0A");
  await writeFile(path, `  sl  local_address rem_address   st\n${text}`);
  assert.deepEqual([...readSocketTable(path)].flat(), listeners);
});

test("an empty table has no ports", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "table-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "tcp"), "");
  assert.deepEqual([...readSocketTable(join(folder, "tcp"))].flat(), []);
});

const header =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

function line(address: string, port: number, state = "0A"): string {
  const local = `${address}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rest = "00000000:00000000 00:00000000 00000000     0        0 12345 1 0000000000000000 100 0 0 10 0";
  return `   0: ${local} ${"0".repeat(address.length)}:0000 ${state} ${rest}\n`;
}

for (const [name, address] of [
  ["127.0.0.1", "0100007F"],
  ["127.1.2.3", "0302017F"],
  ["0.0.0.0", "00000000"],
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000001000000"],
  ["::ffff:127.0.0.1", "0000000000000000FFFF00000100007F"],
  ["::ffff:0.0.0.0", "0000000000000000FFFF000000000000"],
] as const) {
  test(`a listener on ${name} counts`, () =>
    assert.deepEqual(listeningPorts(header + line(address, 8080)), [8080]));
}

for (const [name, address] of [
  ["10.0.0.127", "7F00000A"],
  ["100.115.92.203", "CB5C7364"],
  ["fe80::1", "000080FE000000000000000001000000"],
  ["::2", "00000000000000000000000002000000"],
  ["::127.0.0.1, which is not mapped", "0000000000000000000000000100007F"],
  ["::ffff:10.0.0.1", "0000000000000000FFFF00000100000A"],
] as const) {
  test(`a listener on ${name} does not`, () =>
    assert.deepEqual(listeningPorts(header + line(address, 8080)), []));
}

test("only listeners count", () => {
  const states = Array.from({ length: 12 }, (_, index) =>
    (index + 1).toString(16).toUpperCase().padStart(2, "0"),
  );
  assert.deepEqual(
    listeningPorts(header + states.map((state, at) => line("00000000", at + 1, state)).join("")),
    [10],
  );
});

test("ports of both tables are sorted, each once", () => {
  const tcp = header + line("00000000", 443) + line("0100007F", 9) + line("00000000", 65535);
  const tcp6 = header + line("00000000000000000000000001000000", 443) + line("0".repeat(32), 80).trimEnd();
  assert.deepEqual(listeningPorts(tcp, tcp6), [9, 80, 443, 65535]);
  assert.deepEqual(listeningPorts(), []);
});

test("the kernel's own table shows a listener as long as it is there", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  assert.ok(address && typeof address === "object");
  const ports = () => listeningPorts(readFileSync("/proc/self/net/tcp", "latin1"));
  assert.ok(ports().includes(address.port));
  await new Promise((resolve) => server.close(resolve));
  assert.ok(!ports().includes(address.port));
});

test("whatever the text, the ports are sorted, unique and possible", () => {
  const piece = fc.constantFrom(
    "0",
    "A",
    "7F",
    ":",
    " ",
    "\n",
    "00000000",
    "0A",
    line("00000000", 1),
    line("0100007F", 0),
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, (table) => {
      const ports = listeningPorts(table);
      assert.deepEqual(
        ports,
        [...new Set(ports)].sort((a, b) => a - b),
      );
      assert.ok(ports.every((port) => port > 0 && port <= 65535));
    }),
  );
});

for (const filling of [" ", "0", "0: ", ":", "\n", "A", " 0: 00000000:", line("00000000", 80)]) {
  test(`10 MB of ${JSON.stringify(filling.slice(0, 20))} are read in time`, () => {
    const table = `${line("00000000", 22)}${filling.repeat(10_000_000 / filling.length)}`;
    assert.equal(inLinearTime(() => listeningPorts(table))[0], 22);
  });
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSocketTable } from "./socket-table.ts";

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

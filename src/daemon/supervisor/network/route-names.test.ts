import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import { routeNames } from "./route-names.ts";

async function commandsFor(
  config: Record<string, string>,
  resolved: string,
  fails = false,
): Promise<string[]> {
  const ran: string[] = [];
  const run = async (program: string, args: readonly string[]) => {
    ran.push([program, ...args].join(" "));
    if (fails) throw new Error("no bus");
  };
  const engine = { networks: { get: async () => ({ value: { config } }) } } as unknown as Engine;
  const { signal } = new AbortController();
  await routeNames(engine, "lxdbr0", { log: silentLogger, signal, run, resolved });
  return ran;
}

const bridge = { "ipv4.address": "100.115.92.1/24", "dns.domain": "tremplin" };

test("systemd-resolved asks the bridge for its own domain, and only for that", async () => {
  assert.deepEqual(await commandsFor(bridge, tmpdir()), [
    "resolvectl dns lxdbr0 100.115.92.1",
    "resolvectl dnssec lxdbr0 no",
    "resolvectl dnsovertls lxdbr0 no",
    "resolvectl domain lxdbr0 ~tremplin",
  ]);
});

test("nothing is done without it, without a domain or an address; and no failure is one of the start", async () => {
  assert.deepEqual(await commandsFor(bridge, join(import.meta.dirname, "no-such-folder")), []);
  assert.deepEqual(await commandsFor({ ...bridge, "dns.domain": "" }, tmpdir()), []);
  assert.deepEqual(await commandsFor({ ...bridge, "ipv4.address": "none" }, tmpdir()), []);
  assert.equal((await commandsFor(bridge, tmpdir(), true)).length, 1);
});

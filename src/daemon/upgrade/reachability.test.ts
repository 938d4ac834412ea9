import assert from "node:assert/strict";
import { test } from "node:test";
import { hasDefaultRoute4, hasDefaultRoute6, listeningPorts } from "./reachability.ts";

const routes4 = (destination: string, mask: string) =>
  `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t${destination}\t0100590A\t0003\t0\t0\t100\t${mask}\t0\t0\t0\n`;
const routes6 = (destination: string, prefix: string, card: string) =>
  `${destination} ${prefix} ${"0".repeat(32)} 00 fe80000000000000021122fffe334455 00000400 00000003 00000000 00450003 ${card.padStart(8)}\n`;

test("default routes are found in the kernel's tables", () => {
  assert.equal(hasDefaultRoute4(routes4("00000000", "00000000")), true);
  assert.equal(hasDefaultRoute4(routes4("0000590A", "00FFFFFF")), false);
  // Half of the Internet is no default route.
  assert.equal(hasDefaultRoute4(routes4("00000000", "00000080")), false);
  assert.equal(hasDefaultRoute6(routes6("0".repeat(32), "00", "eth0")), true);
  assert.equal(hasDefaultRoute6(routes6("0".repeat(32), "00", "lo")), false);
  assert.equal(hasDefaultRoute6(routes6("fe80".padEnd(32, "0"), "40", "eth0")), false);
  for (const text of ["", "\n", "x y z"])
    assert.equal(hasDefaultRoute4(text) || hasDefaultRoute6(text), false);
});

test("only ports with a listener count", () => {
  const line = (port: string, state: string) => `   1: 00000000:${port} 0100007F:0016 ${state} 0 0 0`;
  const table = `  sl  local_address rem_address   st\n${line("0016", "0A")}\n${line("1F90", "0A")}\n${line("0050", "01")}\n`;
  assert.deepEqual(listeningPorts(table), [22, 8080]);
  const table6 = `   0: ${"0".repeat(32)}:0016 ${"0".repeat(32)}:0000 0A`;
  assert.deepEqual(listeningPorts(table6), [22]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSockets, serverFault } from "./name-server.ts";
import { parseSubnet } from "./subnet.ts";

const subnet = parseSubnet("10.115.92.1/24");
const fault = (...lines: readonly string[]) => serverFault("lxdbr0", subnet, parseSockets(lines.join("\n")));
const udp = (address: string, process: string) =>
  `udp UNCONN 0 0 ${address} 0.0.0.0:* users:(("${process}",pid=77,fd=4))`;
const own = udp("10.115.92.1%lxdbr0:53", "dnsmasq");

test("a server of the bridge is no fault, whoever else waits on port 53", () => {
  assert.equal(fault(own), undefined);
  assert.equal(fault(own, udp("127.0.0.53%lo:53", "systemd-resolve")), undefined);
  assert.equal(fault(udp("0.0.0.0%lxdbr0:67", "dnsmasq")), undefined);
});

for (const address of ["0.0.0.0", "*", "10.115.92.1"]) {
  test(`whoever waits on ${address} is named`, () => {
    const found = fault(udp(`${address}:53`, "named"));
    assert.match(
      found?.problem ?? "",
      /^named \(process 77\) has port 53 on .* lxdbr0 \(10\.115\.92\.1\/24\) cannot run$/,
    );
    assert.match(found?.advice ?? "", /listen-on \{ !10\.115\.92\.1; any; \}/);
  });
}

test("another server elsewhere does not explain it", () => {
  for (const line of [
    udp("127.0.0.53%lo:53", "systemd-resolve"),
    udp("[::]:53", "x"),
    udp("0.0.0.0:5353", "avahi"),
    "",
  ]) {
    assert.match(fault(line)?.problem ?? "", /^no server for addresses/);
  }
});

test("a process of which nothing is known", () => {
  assert.match(fault("tcp LISTEN 0 10 0.0.0.0:53 0.0.0.0:*")?.problem ?? "", /^another program has port 53/);
});

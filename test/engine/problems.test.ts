import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import {
  StartLxdProgress_Status as Launched,
  ContainerStartProgress_Status as Started,
} from "../../src/contract/tremplin_pb.js";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { eventually } from "../support/eventually.ts";
import { engineCommand, inContainer } from "../support/in-container.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import { createTiny, launch, shareTinyImage } from "../support/tiny-container.ts";

/** A laptop at a provider with shared addresses, with a VPN for everything and an unreachable private range. */
const LAPTOP = `ip link add uplink type veth peer name provider
ip link set uplink up; ip link set provider up
ip address add 100.72.1.2/10 dev uplink
ip route add default via 100.64.0.1
ip route add 0.0.0.0/1 dev uplink; ip route add 128.0.0.0/1 dev uplink
ip route add unreachable 10.0.0.0/8`;

let namespace: NetworkNamespace;
let daemon: TestDaemon;

before(async () => {
  namespace = await networkNamespace(LAPTOP);
  daemon = await startDaemon({ namespace });
  await shareTinyImage(daemon);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await namespace?.[Symbol.asyncDispose]();
});

const problems = async () =>
  (await daemon.guest.listProblems({})).problems.filter(({ area }) => area !== "inotify");
const subnet = async () => (await daemon.guest.getStatus({})).engine?.subnet;

async function start(containerName: string): Promise<string> {
  await daemon.tremplin.startContainer({ containerName });
  const { status, failureReason } = await daemon.listener.final("start", containerName);
  assert.equal(status, Started.STARTED, failureReason);
  return failureReason;
}

/** Something else that waits on port 53 of all addresses. */
async function otherNameServer(): Promise<AsyncDisposable & { readonly pid: number | undefined }> {
  const script = "require('dgram').createSocket('udp4').bind(53, () => console.log('bound'))";
  const [nsenter = "", ...words] = [...namespace.prefix, process.execPath, "-e", script];
  const server = spawn(nsenter, words, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(server, "exit");
  await once(server.stdout, "data");
  return {
    pid: server.pid,
    async [Symbol.asyncDispose]() {
      server.kill("SIGKILL");
      await exited;
    },
  };
}

test("a start that fails because of port 53 names who has it", async () => {
  await using other = await otherNameServer();
  await daemon.tremplin.startLxd({});
  const { status, failureReason } = await daemon.listener.final("startLxd");
  assert.equal(status, Launched.FAILED);
  assert.match(failureReason, new RegExp(`process ${other.pid}\\) has port 53 on 0\\.0\\.0\\.0`));
});

test("on a machine with a VPN, shared addresses and an unreachable route the bridge gets a free subnet", async () => {
  await launch(daemon);
  assert.equal(await subnet(), "10.115.92.1/24");
  assert.deepEqual(await problems(), []);
  await daemon.restart();
  assert.equal(await eventually("the engine", async () => (await subnet()) || undefined), "10.115.92.1/24");
});

test("a firewall that drops is found with the command that helps", async () => {
  for (const [hook, sentence] of [
    ["forward", /^the firewall drops what containers send to other networks.*chain guard of table inet mine/],
    ["input", /^the firewall drops the requests of containers for addresses \(DHCP\) and names \(DNS\)/],
  ] as const) {
    await namespace.run(
      `nft 'table inet mine { chain guard { type filter hook ${hook} priority 0; policy drop; }; }'`,
    );
    const [problem, ...others] = await problems();
    assert.match(problem?.problem ?? "", sentence);
    assert.deepEqual(others, []);
    await namespace.run(problem?.advice ?? "");
    assert.deepEqual(await problems(), []);
    await namespace.run("nft delete table inet mine");
  }
});

test("a network with the same addresses, which the machine joins later, is found", async () => {
  await namespace.run("ip address add 10.115.92.77/24 dev provider");
  const [problem] = await problems();
  assert.match(
    problem?.problem ?? "",
    /10\.115\.92\.1\/24 of \S+ overlaps with 10\.115\.92\.77\/24 of the interface provider/,
  );
  assert.match(problem?.advice ?? "", /--lxd-subnet 10\.115\.93\.1\/24 /);
  await namespace.run("ip address delete 10.115.92.77/24 dev provider");
  assert.deepEqual(await problems(), []);
});

test("a container for which there is no address says so at its start", async () => {
  for (const name of ["one", "two"]) await createTiny(daemon, name);
  await engineCommand(daemon, "network", "set", daemon.bridge, "ipv4.dhcp.ranges=10.115.92.5-10.115.92.5");
  assert.equal(await start("one"), "");
  const lease = () =>
    namespace.run(
      `grep -h 10.115.92.5 ${daemon.folder}/state/*/networks/${daemon.bridge}/dnsmasq.leases || true`,
    );
  await inContainer(daemon, "one", "udhcpc", "-q", "-n", "-i", "eth0", "-s", "/bin/true");
  await eventually("the lease", async () => (await lease()) || undefined);
  assert.match(await start("two"), /^it has no IPv4 address: all 1 IPv4 addresses of .* are in use/);
  const [problem] = await problems();
  assert.deepEqual([problem?.area], ["addresses"]);
  assert.match(problem?.advice ?? "", /--lxd-subnet/);
  await daemon.tremplin.stopContainer({ containerName: "one" });
  await daemon.listener.final("stop", "one", 60_000);
  assert.equal(await start("one"), "");
});

test("whoever has port 53 of the bridge is named", async () => {
  const { bridge, folder } = daemon;
  await namespace.run(`kill $(sed -n 's/^pid: //p' ${folder}/state/*/networks/${bridge}/dnsmasq.pid)`);
  await using other = await otherNameServer();
  const found = await eventually("the problem", async () =>
    (await problems()).find(({ area }) => area === "dns"),
  );
  const words = `process ${other.pid}\\) has port 53 on 0\\.0\\.0\\.0, .* of ${bridge} .* cannot run$`;
  assert.match(found.problem, new RegExp(words));
});

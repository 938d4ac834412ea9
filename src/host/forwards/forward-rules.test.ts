import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { forwardFixture, freePorts, open, watching } from "../../../test/support/forward-fixture.ts";
import { hasCode, hostFixture } from "../../../test/support/host-fixture.ts";
import { Host, Forward_State as State } from "../../contract/tremplin/v1/host_pb.js";

async function isRefused(port: number, host = "127.0.0.1"): Promise<boolean> {
  return await open(port, host).then(
    (socket) => {
      socket.destroy();
      return false;
    },
    (error) => error.code === "ECONNREFUSED",
  );
}

test("a port opens on both loopback addresses and closes with the program", async (t) => {
  const { vm, shows } = await forwardFixture(t);
  const [port = 0] = await freePorts(1);
  vm.ports.start("one");
  await shows();
  vm.ports.listen("one", port);
  await shows(`vm one:${port} OPEN ${port}`);
  assert.deepEqual([await isRefused(port), await isRefused(port, "::1")], [false, false]);
  vm.ports.close("one", port);
  await shows();
  assert.deepEqual([await isRefused(port), await isRefused(port, "::1")], [true, true]);
});

test("who comes first keeps the port, and the next one gets the next free one", async (t) => {
  const { vm, shows } = await forwardFixture(t);
  const [port = 0] = await freePorts(1);
  vm.ports.listen("second", port);
  await shows(`vm second:${port} OPEN ${port}`);
  vm.ports.listen("first", port);
  const conflict = `port ${port} of this machine is for vm second:${port}`;
  await shows(`vm first:${port} OPEN ${port + 1}: ${conflict}`, `vm second:${port} OPEN ${port}`);
  vm.ports.stop("second");
  await shows(`vm first:${port} OPEN ${port + 1}: ${conflict}`);
  vm.ports.listen("second", port);
  await shows(`vm first:${port} OPEN ${port + 1}: ${conflict}`, `vm second:${port} OPEN ${port}`);
});

test("who came first is still first after a restart of the host", async (t) => {
  const at = await hostFixture(t);
  const host = await at.host("vm");
  const vm = await at.guest("vm");
  const { shows } = watching(at);
  const [port = 0] = await freePorts(1);
  vm.ports.listen("second", port);
  await shows(`vm second:${port} OPEN ${port}`);
  vm.ports.listen("first", port);
  const conflict = `port ${port} of this machine is for vm second:${port}`;
  const both = [`vm first:${port} OPEN ${port + 1}: ${conflict}`, `vm second:${port} OPEN ${port}`];
  await shows(...both);
  await host[Symbol.asyncDispose]();
  assert.ok(await isRefused(port));
  await at.host("vm");
  await shows(...both);
});

test("a program of this machine keeps its port, whichever address it listens on", async (t) => {
  const { vm, shows } = await forwardFixture(t);
  for (const [index, host] of ["127.0.0.1", "::1", "0.0.0.0", "::"].entries()) {
    const [port = 0] = await freePorts(1);
    const server = createServer().listen(port, host);
    t.after(() => server.close());
    await once(server, "listening");
    vm.ports.listen(`c${index}`, port);
    await shows(`vm c${index}:${port} OPEN ${port + 1}: port ${port} of this machine is in use`);
    vm.ports.stop(`c${index}`);
    await shows();
  }
});

test("containers and ports are switched, also across a restart", async (t) => {
  const at = await hostFixture(t);
  const host = await at.host("vm");
  const vm = await at.guest("vm");
  const { shows } = watching(at);
  const [a = 0, b = 0] = (await freePorts(2)).sort((one, other) => one - other);
  vm.ports.listen("one", a);
  vm.ports.listen("one", b);
  await shows(`vm one:${a} OPEN ${a}`, `vm one:${b} OPEN ${b}`);
  await at.api(Host).setForward({ containerName: "one", port: a, enabled: false });
  const switched = [`vm one:${a} OFF: switched off`, `vm one:${b} OPEN ${b}`];
  await shows(...switched);
  assert.ok(await isRefused(a));
  await host[Symbol.asyncDispose]();
  const again = await at.host("vm");
  await shows(...switched);
  await at.api(Host).setForward({ containerName: "one", enabled: false });
  const whole = "vm one:0 OFF: the container is switched off";
  await shows(whole, `vm one:${a} OFF: switched off`, `vm one:${b} OFF: switched off`);
  await at.api(Host).setForward({ containerName: "one", port: b, enabled: true });
  await shows(whole, `vm one:${a} OFF: switched off`, `vm one:${b} OPEN ${b}`);
  await again[Symbol.asyncDispose]();
  await at.host("vm");
  await shows(whole, `vm one:${a} OFF: switched off`, `vm one:${b} OPEN ${b}`);
});

test("a port is mapped to a fixed one, which nobody else gets", async (t) => {
  const { vm, shows, api } = await forwardFixture(t);
  const [port = 0, fixed = 0] = await freePorts(2);
  vm.ports.listen("one", port);
  await api(Host).setForward({ containerName: "one", port, hostPort: fixed });
  await shows(`vm one:${port} OPEN ${fixed}`);
  assert.ok(await isRefused(port));
  await assert.rejects(
    api(Host).setForward({ containerName: "two", port, hostPort: fixed }),
    hasCode(Code.AlreadyExists, new RegExp(`^port ${fixed} of this machine is for port ${port} of one`)),
  );
  vm.ports.close("one", port);
  await shows(`vm one:${port} IDLE: nothing listens in the container`);
  vm.ports.listen("two", fixed);
  const kept = `vm two:${fixed} OPEN ${fixed + 1}: port ${fixed} of this machine is for vm one:${port}`;
  await shows(`vm one:${port} IDLE: nothing listens in the container`, kept);
  await api(Host).setForward({ containerName: "one", port, hostPort: 0 });
  await shows(kept);
});

test("the port of the console leads into no container, also where there is no console", async (t) => {
  const { vm, api, until } = await forwardFixture(t);
  vm.ports.listen("one", 7780);
  const [forward] = await until(([first]) => first?.state === State.OPEN, "an open port");
  assert.ok(forward && forward.hostPort > 7780);
  assert.match(forward.reason, /^port 7780 of this machine is in use/);
  await assert.rejects(
    async () => api(Host).setForward({ guest: "vm", containerName: "one", port: 7780, hostPort: 7780 }),
    hasCode(Code.AlreadyExists, /^port 7780 of this machine is for the console; choose another one/),
  );
});

test("a mapped port that a program uses opens once it is free", async (t) => {
  const { vm, shows, api } = await forwardFixture(t);
  const [port = 0, fixed = 0] = await freePorts(2);
  const server = createServer().listen(fixed, "127.0.0.1");
  await once(server, "listening");
  await api(Host).setForward({ containerName: "one", port, hostPort: fixed });
  vm.ports.listen("one", port);
  await shows(`vm one:${port} BLOCKED: port ${fixed} of this machine is in use`);
  server.close();
  await shows(`vm one:${port} OPEN ${fixed}`);
});

test("a guest that is away has no open port, and gets the same ones when it is back", async (t) => {
  const { vm, shows } = await forwardFixture(t);
  const [port = 0] = await freePorts(1);
  vm.ports.listen("second", port);
  await shows(`vm second:${port} OPEN ${port}`);
  vm.ports.listen("first", port);
  const conflict = `port ${port} of this machine is for vm second:${port}`;
  const both = [`vm first:${port} OPEN ${port + 1}: ${conflict}`, `vm second:${port} OPEN ${port}`];
  await shows(...both);
  await vm.close();
  const away = "GUEST_AWAY: guest vm does not answer";
  await shows(`vm first:${port} ${away}`, `vm second:${port} ${away}`);
  assert.deepEqual([await isRefused(port), await isRefused(port + 1)], [true, true]);
  await vm.listen();
  await vm.notify("tremplinReady", {});
  await shows(...both);
});

test("a guest opens only its number of ports, and the others follow when there is room", async (t) => {
  const at = await hostFixture(t);
  at.maxForwards = 2;
  await at.host("vm");
  const vm = await at.guest("vm");
  const { shows } = watching(at);
  const [a = 0, b = 0, c = 0] = (await freePorts(3)).sort((one, other) => one - other);
  vm.ports.listen("one", c);
  await shows(`vm one:${c} OPEN ${c}`);
  vm.ports.listen("one", b);
  await shows(`vm one:${b} OPEN ${b}`, `vm one:${c} OPEN ${c}`);
  vm.ports.listen("one", a);
  const over = "OVER_LIMIT: 2 ports of guest vm are open already";
  await shows(`vm one:${a} ${over}`, `vm one:${b} OPEN ${b}`, `vm one:${c} OPEN ${c}`);
  vm.ports.close("one", c);
  await shows(`vm one:${a} OPEN ${a}`, `vm one:${b} OPEN ${b}`);
});

test("requests that cannot be right are refused with a sentence", async (t) => {
  const { api } = await forwardFixture(t);
  const set = (request: object) => api(Host).setForward({ containerName: "one", ...request });
  for (const [request, message] of [
    [{ enabled: true, containerName: "../x" }, /^container_name must have/],
    [{ enabled: true, containerName: "" }, /^container_name must have/],
    [{}, /^give enabled or host_port/],
    [{ port: 80, enabled: true }, /^port 80 is never forwarded/],
    [{ port: 2222, enabled: true }, /^port 2222 is never forwarded/],
    [{ port: 5355, hostPort: 8080 }, /^port 5355 is never forwarded/],
    [{ port: 65536, enabled: true }, /^port 65536 is never forwarded/],
    [{ hostPort: 8080 }, /^host_port needs port/],
    [{ port: 8080, hostPort: 80 }, /^cannot map to port 80 of this machine/],
    [{ port: 8080, hostPort: 70_000 }, /^cannot map to port 70000 of this machine/],
  ] as const) {
    await assert.rejects(set(request), hasCode(Code.InvalidArgument, message));
  }
  const elsewhere = { guest: "nobody", containerName: "one", enabled: true };
  await assert.rejects(api(Host).setForward(elsewhere), hasCode(Code.NotFound, /^there is no guest nobody/));
  await assert.rejects(api(Host).listForwards({ guest: "nobody" }), hasCode(Code.NotFound, /nobody/));
});

test("damaged settings are set aside, and all ports are forwarded", async (t) => {
  const at = await hostFixture(t);
  const host = await at.host("vm");
  const vm = await at.guest("vm");
  await at.api(Host).setForward({ containerName: "one", enabled: false });
  await host[Symbol.asyncDispose]();
  const file = join(at.folder, "state/forwards.json");
  await writeFile(file, "{");
  await at.host("vm");
  const [port = 0] = await freePorts(1);
  vm.ports.listen("one", port);
  await watching(at).shows(`vm one:${port} OPEN ${port}`);
  assert.equal(await readFile(`${file}.unreadable`, "utf8"), "{");
});

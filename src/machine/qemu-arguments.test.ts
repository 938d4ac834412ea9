import assert from "node:assert/strict";
import { test } from "node:test";
import { MachineFolder } from "./machine-folder.ts";
import { qemuArguments } from "./qemu-arguments.ts";

const settings = {
  memory: 1024,
  cpus: 3,
  accelerator: "tcg",
  foundAt: "",
  ports: { daemon: 1001, ssh: 1002, listener: 1003 },
} as const;
const folder = new MachineFolder("box", "/m,n");

test("only the host's loopback reaches the machine", () => {
  const net = qemuArguments(folder, settings).find((word) => word.startsWith("user,"));
  const forwards = ["hostfwd=tcp:127.0.0.1:1001-10.0.2.15:8890", "hostfwd=tcp:127.0.0.1:1002-10.0.2.15:22"];
  assert.equal(net, `user,id=net,${forwards.join(",")}`);
});

test("by vsock the daemon needs no port of the host", () => {
  const words = qemuArguments(folder, { ...settings, cid: 77 });
  assert.ok(words.includes("vhost-vsock-pci,guest-cid=77"));
  assert.ok(words.includes("user,id=net,hostfwd=tcp:127.0.0.1:1002-10.0.2.15:22"));
});

test("disks give back what is thrown away, and a comma in a path stays in it", () => {
  const drives = qemuArguments(folder, settings).filter((word) => word.startsWith("file="));
  assert.equal(drives.length, 2);
  for (const drive of drives) assert.match(drive, /^file=\/m,,n\/box\/.*discard=unmap/);
});

test("hardware brings its own processor, emulation one that is quick to emulate", () => {
  const after = (words: string[], flag: string) => words[words.indexOf(flag) + 1];
  assert.equal(after(qemuArguments(folder, { ...settings, accelerator: "kvm" }), "-cpu"), "host");
  assert.match(after(qemuArguments(folder, settings), "-accel") ?? "", /^tcg,/);
});

test("a name that is none for a folder, and a folder too long for sockets, are refused", () => {
  for (const name of ["", "..", "a/b", "-x", "a b"]) {
    assert.throws(() => new MachineFolder(name, "/m"), { code: "invalid" }, name);
  }
  assert.throws(() => new MachineFolder("box", `/${"x".repeat(100)}`), {
    code: "invalid",
    message: /shorter/,
  });
});
